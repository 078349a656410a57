import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { predictEnvRoot, prepareEnvironment } from "../../../src/lib/execenv/index.ts";
import { lockHolderPath, tryFileLock } from "../../../src/lib/platform/index.ts";
import { WORKSPACE, machine, prepareInput } from "../../support/execenv.ts";
import { waitFor } from "../../support/wait.ts";

const TASK = "01980000-0000-7000-8000-00000000aaaa";
const LOCK_MODULE = new URL("../../../src/lib/platform/lock.ts", import.meta.url).href;

/** Whether another process can take the lock: POSIX locks never exclude their own process, so only this one tells. */
async function otherProcessGets(path: string): Promise<boolean> {
  const code = `import { lockHolderPath, tryFileLock } from ${JSON.stringify(LOCK_MODULE)}; process.exit(tryFileLock(${JSON.stringify(path)}) === null ? 3 : 0);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
  const status = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  if (status !== 0 && status !== 3) throw new Error(`the prober failed: ${status}`);
  return status === 0;
}

describe("the lock of an environment", () => {
  it("survives that this process opens, reads, hashes and closes the file (decision 18)", async () => {
    const environment = await prepareEnvironment(prepareInput(machine(), TASK));
    const path = environment.lock.path;
    expect(await otherProcessGets(path)).toBe(false);
    const descriptor = openSync(path, "r+");
    readSync(descriptor, Buffer.alloc(16), 0, 16, 0);
    closeSync(descriptor);
    createHash("sha256").update(readFileSync(path)).digest("hex");
    expect(await otherProcessGets(path)).toBe(false);
    environment.release();
    expect(await otherProcessGets(path)).toBe(true);
  });

  it("names its holder by pid, start and boot, and a holder that is gone does not keep it", async () => {
    const environment = await prepareEnvironment(prepareInput(machine(), TASK));
    const holder = lockHolderPath(environment.lock.path);
    expect(JSON.parse(readFileSync(holder, "utf8"))).toMatchObject({ pid: process.pid, startKey: expect.any(String), bootId: expect.any(String) });
    const left = readFileSync(holder, "utf8").replace(/"startKey":"\d+"/, '"startKey":"1"');
    environment.release();
    expect(existsSync(holder)).toBe(false);
    writeFileSync(holder, left);
    expect(await otherProcessGets(environment.lock.path)).toBe(true);
  });

  it("survives that a second attempt in this process fails and closes its connection", async () => {
    const environment = await prepareEnvironment(prepareInput(machine(), TASK));
    expect(tryFileLock(environment.lock.path)).toBeNull();
    expect(await otherProcessGets(environment.lock.path)).toBe(false);
    environment.release();
  });

  it("is freed by the kernel when its holder is killed, and the next one may start at once", async () => {
    const place = machine();
    const root = predictEnvRoot(place.root, WORKSPACE, TASK);
    const path = join(root, ".task_lock");
    const first = await prepareEnvironment(prepareInput(place, TASK));
    first.release();
    const code = `import { lockHolderPath, tryFileLock } from ${JSON.stringify(LOCK_MODULE)}; const lock = tryFileLock(${JSON.stringify(path)}); console.log(lock === null ? "busy" : "held"); setInterval(() => lock, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await new Promise<void>((resolve) => holder.stdout.once("data", () => resolve()));
    await expect(prepareEnvironment(prepareInput(place, TASK))).rejects.toMatchObject({ code: "env_busy" });
    holder.kill("SIGKILL");
    await waitFor("the holder to be gone", () => holder.exitCode !== null || holder.signalCode !== null);
    const next = await prepareEnvironment(prepareInput(place, TASK));
    expect(statSync(path).size).toBe(0);
    expect(existsSync(`${path}-journal`)).toBe(false);
    next.release();
  });
});
