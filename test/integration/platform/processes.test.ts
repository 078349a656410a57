import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  findByEnv, groupAlive, identityAlive, listDescendants, processEnv, processIdentity, sendSignal, spawnGroup, systemClock, terminateTree,
} from "../../../src/lib/platform/index.ts";
import { runShort } from "../../../src/lib/platform/process/run-short.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const MARK = "MULTICA_TEST_MARK";
let marks = 0;

/** A shell in a group of its own, with a marker of its own; whatever bears the marker is killed at the end of the test. */
async function tree(script: string) {
  const dir = tempDir();
  const mark = `${process.pid}-${(marks += 1)}`;
  onTestFinished(() => {
    for (const entry of findByEnv(MARK, mark)) sendSignal(entry.pid, "SIGKILL");
  });
  const child = await spawnGroup({ command: "sh", args: ["-c", script], cwd: dir, env: { ...processEnv(), [MARK]: mark } });
  const pid = async (name: string): Promise<number> => Number(await waitFor(`the file ${name}`, () => existsSync(join(dir, name)) && readFileSync(join(dir, name), "utf8").trim()));
  return { child, dir, pid, marker: { name: MARK, value: mark } };
}

const alive = (pid: number): boolean => processIdentity(pid) !== null;

describe("terminateTree", () => {
  it("ends the group on SIGTERM and says that it is gone", async () => {
    const { child, pid } = await tree("sleep 300 & echo $! > inner; sleep 300");
    const inner = await pid("inner");
    const result = await terminateTree({ pid: child.pid, graceMs: 5000, clock: systemClock });
    expect(result).toEqual({ gone: true, survivors: [], killed: false });
    expect([alive(child.pid), alive(inner), groupAlive(child.pid)]).toEqual([false, false, false]);
    expect(await child.exited).toEqual({ code: null, signal: "SIGTERM" });
  });

  it("kills after the grace what does not listen", async () => {
    const { child, pid } = await tree("trap '' TERM; echo $$ > ready; while :; do sleep 0.1; done");
    await pid("ready");
    const started = performance.now();
    const result = await terminateTree({ pid: child.pid, graceMs: 200, clock: systemClock });
    expect(result).toEqual({ gone: true, survivors: [], killed: true });
    expect(performance.now() - started).toBeGreaterThanOrEqual(200);
  });

  it("reaches a descendant that has a session of its own", async () => {
    const { child, pid } = await tree("setsid sh -c 'echo $$ > inner; exec sleep 300' & wait");
    const inner = await pid("inner");
    expect(listDescendants(child.pid).some((entry) => entry.pid === inner && entry.group === inner)).toBe(true);
    expect((await terminateTree({ pid: child.pid, graceMs: 5000, clock: systemClock })).gone).toBe(true);
    expect(alive(inner)).toBe(false);
  });

  it("finds by its marker what left the tree: own session, parent dead", async () => {
    const { child, pid, marker } = await tree("(setsid sh -c 'echo $$ > inner; exec sleep 300' &) ; exit 0");
    const inner = await pid("inner");
    await child.exited;
    await waitFor("the orphan", () => listDescendants(process.pid).every((entry) => entry.pid !== inner));
    expect((await terminateTree({ pid: child.pid, graceMs: 1000, clock: systemClock })).gone).toBe(true);
    expect(alive(inner)).toBe(true);
    expect(findByEnv(marker.name, marker.value).map((entry) => entry.pid)).toEqual([inner]);
    expect((await terminateTree({ marker, graceMs: 5000, clock: systemClock })).gone).toBe(true);
    expect(alive(inner)).toBe(false);
  });

  it("ends a stopped process too", async () => {
    const { child, pid } = await tree("echo $$ > ready; exec sleep 300");
    expect(sendSignal(await pid("ready"), "SIGSTOP")).toBe(true);
    expect((await terminateTree({ pid: child.pid, graceMs: 100, clock: systemClock })).gone).toBe(true);
    expect(alive(child.pid)).toBe(false);
  });

  it("gives every process of the tree its time to end by itself", async () => {
    const { child, dir, pid } = await tree("trap 'echo bye > said; exit 0' TERM; echo $$ > ready; while :; do sleep 0.05; done");
    await pid("ready");
    expect(await terminateTree({ pid: child.pid, graceMs: 5000, clock: systemClock })).toMatchObject({ gone: true, killed: false });
    expect(readFileSync(join(dir, "said"), "utf8")).toBe("bye\n");
  });

  it("never signals its own group, init, everything, or what is no number", () => {
    for (const pid of [0, 1, -1, Number.NaN, 1.5]) expect(sendSignal(pid, "SIGCONT")).toBe(false);
  });

  it("has nothing to do for what is gone already", async () => {
    const { child } = await tree("exit 3");
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(await terminateTree({ pid: child.pid, graceMs: 60_000, clock: systemClock })).toEqual({ gone: true, survivors: [], killed: false });
  });
});

describe("the identity of a process", () => {
  /** A parent that never reaps its child. */
  async function zombie(): Promise<{ parent: ChildProcess; pid: number }> {
    const dir = tempDir();
    const parent = spawn("sh", ["-c", "sleep 0.2 & echo $! > pid; exec sleep 300"], { cwd: dir, detached: true, stdio: "ignore" });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const pid = Number(await waitFor("the pid", () => existsSync(join(dir, "pid")) && readFileSync(join(dir, "pid"), "utf8").trim()));
    return { parent, pid };
  }

  it("counts a zombie as dead, alone and in its group", async () => {
    const { parent, pid } = await zombie();
    const identity = processIdentity(pid);
    if (identity === null) throw new Error("the child ended too early");
    expect(identityAlive(identity)).toBe(true);
    await waitFor("the zombie", () => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")));
    expect([identityAlive(identity), processIdentity(pid)]).toEqual([false, null]);
    expect(listDescendants(parent.pid ?? 0)).toEqual([]);
    expect(groupAlive(parent.pid ?? 0)).toBe(true);
  });

  it("is another one for another start and another boot", () => {
    const own = processIdentity(process.pid);
    if (own === null) throw new Error("no identity");
    expect([identityAlive(own), identityAlive({ ...own, startKey: "1" }), identityAlive({ ...own, bootId: "other" })]).toEqual([true, false, false]);
    expect(processIdentity(2 ** 22 - 1)).toBeNull();
  });
});

describe("spawnGroup", () => {
  it("makes a group and a session of its own, with nothing in the environment but what was given", async () => {
    const child = await spawnGroup({ command: "/bin/sh", args: ["-c", "env; cut -d' ' -f5,6 /proc/$$/stat"], cwd: "/", env: { ONLY: "this" } });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await waitFor("the output", () => out.includes(`${child.pid} ${child.pid}`));
    expect(out).toContain("ONLY=this");
    expect(out).not.toContain("HOME=");
  });

  it("names a command that is not there, and survives writing to one that has ended", async () => {
    await expect(spawnGroup({ command: "/no/such/agent", args: [], cwd: "/", env: {} })).rejects.toMatchObject({
      code: "spawn_failed",
      message: 'executable not found at "/no/such/agent"',
    });
    const child = await spawnGroup({ command: "/bin/true", args: [], cwd: "/", env: {} });
    await child.exited;
    child.stdin.write("x".repeat(1 << 20));
    child.stdin.end();
  });
});

describe("runShort", () => {
  const run = (script: string, patch = {}) => runShort({ command: "sh", args: ["-c", script], env: processEnv(), timeoutMs: 10_000, ...patch });

  it("answers with the facts, whatever they are", async () => {
    expect(await run("echo out; echo err >&2; exit 3")).toMatchObject({ code: 3, stdout: "out\n", stderr: "err\n", timedOut: false, aborted: false });
    expect(await run("cat", { input: "given" })).toMatchObject({ code: 0, stdout: "given" });
    expect(await runShort({ command: "/no/such", args: [], env: {}, timeoutMs: 1000 })).toMatchObject({ code: null, timedOut: false });
  });

  it("ends at its limit with what it started, even if that ignores signals and holds the pipe", async () => {
    const started = performance.now();
    const result = await run("trap '' TERM; sleep 300 & sleep 300", { timeoutMs: 200 });
    expect(result).toMatchObject({ code: null, timedOut: true });
    expect(performance.now() - started).toBeLessThan(8000);
  });

  it("ends when it is told to", async () => {
    expect(await run("sleep 300", { signal: AbortSignal.timeout(50) })).toMatchObject({ code: null, aborted: true });
  });
});
