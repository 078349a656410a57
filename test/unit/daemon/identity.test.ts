import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claimFiles, publishPlace, readDaemonInfo, readOperatorToken, readPid, unpublishDaemon, writePid } from "../../../src/lib/daemon/files.ts";
import { legacyDaemonIds, resolveDaemonId } from "../../../src/lib/daemon/identity.ts";
import { writeLauncher } from "../../../src/lib/daemon/launcher.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

const ID = "01980000-0000-7000-8000-00000000000a";
const clock = new HeldClock();
const resolve = (root: string, stateDir = root, pinned?: string): Promise<string> => resolveDaemonId({ pinned, root, stateDir, clock });

describe("the daemon id", () => {
  it("is made once and shared by all profiles", async () => {
    const root = join(tempDir(), "state");
    const first = await resolve(root);
    expect(await resolve(root, join(root, "profiles", "p"))).toBe(first);
    expect(statSync(join(root, "daemon.id")).mode & 0o777).toBe(0o600);
  });

  it("is promoted from the active profile's file", async () => {
    const root = tempDir();
    const stateDir = join(root, "profiles", "p");
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(join(stateDir, "daemon.id"), `${ID}\n`);
    expect(await resolve(root, stateDir)).toBe(ID);
    expect(readFileSync(join(root, "daemon.id"), "utf8")).toBe(`${ID}\n`);
  });

  it("replaces a file without a UUID, uses a pinned one as it is, and fails on one it cannot read", async () => {
    const root = tempDir();
    writeFileSync(join(root, "daemon.id"), "rubbish");
    expect(await resolve(root)).toMatch(/^[0-9a-f-]{36}$/);
    expect(await resolve(root, root, " machine-7 ")).toBe("machine-7");
    const broken = tempDir();
    mkdirSync(join(broken, "daemon.id"));
    await expect(resolve(broken)).rejects.toMatchObject({ code: "daemon_id_unreadable" });
  });

  it("is left out of the earlier names of the machine", () => {
    const root = tempDir();
    for (const [name, text] of [["b", ID], ["c", "rubbish"], ["a", "01980000-0000-7000-8000-00000000000b"]] as const) {
      mkdirSync(join(root, "profiles", name), { recursive: true });
      writeFileSync(join(root, "profiles", name, "daemon.id"), text);
    }
    const ids = legacyDaemonIds({ hostname: "mac.local", profile: "p", root, daemonId: "mac" });
    expect(ids).toEqual(["mac.local", "mac-p", "mac.local-p", "01980000-0000-7000-8000-00000000000b", ID]);
    expect(legacyDaemonIds({ hostname: "", profile: "p", root: "/nowhere", daemonId: ID })).toEqual([]);
  });
});

describe("the daemon's files", () => {
  const info = { pid: process.pid, port: 4242, started_at: "2026-01-01T00:00:00.000Z", version: "1.0.0" };

  it("are published together and removed by their owner only", async () => {
    const dir = join(tempDir(), "state");
    const token = await claimFiles(dir, info.pid);
    await publishPlace(dir, info);
    expect(readDaemonInfo(dir)).toEqual(info);
    expect(readPid(dir)).toBe(process.pid);
    expect(readOperatorToken(dir)).toBe(token);
    await unpublishDaemon(dir, process.pid + 1, "another token");
    expect([readDaemonInfo(dir), readPid(dir), readOperatorToken(dir)]).toEqual([info, process.pid, token]);
    await unpublishDaemon(dir, process.pid, token);
    expect([readDaemonInfo(dir), readPid(dir), readOperatorToken(dir)]).toEqual([undefined, undefined, undefined]);
  });

  it.each(["", "not json", "[]", '{"pid":1}', '{"pid":"1","port":2}', '{"pid":1,"port":-2}'])("are absent when daemon.json is %j", (text) => {
    const dir = tempDir();
    writeFileSync(join(dir, "daemon.json"), text);
    expect(readDaemonInfo(dir)).toBeUndefined();
  });

  it("keep the pid as a bare number", async () => {
    const dir = tempDir();
    await writePid(dir, 42);
    expect(readFileSync(join(dir, "daemon.pid"), "utf8")).toBe("42");
  });
});

describe("the launcher", () => {
  it("starts this product with all arguments, from any directory and through odd paths", async () => {
    const dir = join(tempDir(), "it's here", "bin");
    const script = join(tempDir(), "a b'c.cjs");
    writeFileSync(script, "process.stdout.write(JSON.stringify(process.argv.slice(2)))");
    const path = await writeLauncher(dir, { node: process.execPath, script });
    expect(execFileSync(path, ["x y", "$HOME", "--flag"], { cwd: "/", env: { PATH: "/nowhere" }, encoding: "utf8" })).toBe('["x y","$HOME","--flag"]');
    chmodSync(path, 0o600);
    expect(statSync(await writeLauncher(dir, { node: process.execPath, script })).mode & 0o777).toBe(0o755);
  });
});
