import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ClaimBarrier } from "../../../src/lib/daemon/barrier.ts";
import { runRepoGc } from "../../../src/lib/daemon/loops/repo-gc.ts";
import { systemClock, terminateTree } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { type MaintenanceReport, createRepoCache } from "../../../src/lib/repos/index.ts";
import { holdElsewhere, taskId } from "../../support/execenv-world.ts";
import { makeRemote } from "../../support/git.ts";
import { gitRuns, slowGc } from "../../support/slow-gc.ts";
import { waitFor } from "../../support/wait.ts";
import { TASK_B, harness } from "./harness.ts";

const MARKER = ".multica-maintenance-pending";

/** A cache that wants packing, and another daemon that is at it and stands still. */
async function packedElsewhere() {
  const made = harness();
  const { git, dir, cache, root } = made;
  const remote = makeRemote(git, dir("remotes", "api"));
  const { path: bare } = await cache.ensure("ws", remote);
  writeFileSync(join(bare, MARKER), "x");
  const slow = slowGc(dir("bin"), git.env);
  const child = spawn(process.execPath, [join(import.meta.dirname, "maintain-worker.ts"), root], { env: slow.env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<MaintenanceReport>((resolve) => child.once("close", () => resolve(JSON.parse(out === "" ? "{}" : out) as MaintenanceReport)));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    await terminateTree({ marker: { name: "MULTICA_REPO_CACHE", value: bare }, graceMs: 100, clock: systemClock });
  });
  await waitFor("the other daemon to pack", () => slow.started());
  const leftovers = (): string[] => [...readdirSync(dirname(bare)), ...readdirSync(join(root, ".repos"))].filter((name) => name.includes("wanted"));
  return { ...made, remote, bare, slow, child, ended, leftovers };
}

describe("maintenance by another daemon on the same root", () => {
  it("ends, with its process tree and its lock files, for a checkout here", async () => {
    const { cache, request, remote, bare, ended, leftovers, git } = await packedElsewhere();
    const result = await cache.checkout(request(remote));
    expect(existsSync(join(result.path, "README.md"))).toBe(true);
    expect(await ended).toMatchObject({ packed: 0 });
    expect([gitRuns(bare), existsSync(join(bare, "gc.pid")), existsSync(join(bare, MARKER))]).toEqual([false, false, true]);
    expect(leftovers()).toEqual([]);
    git(bare, "fsck");
  });

  it("ends before an agent is started here", async () => {
    const { cache, bare, ended, leftovers } = await packedElsewhere();
    expect(gitRuns(bare)).toBe(true);
    await cache.stopMaintenance();
    expect(gitRuns(bare)).toBe(false);
    expect(await ended).toMatchObject({ packed: 0 });
    expect(existsSync(join(bare, MARKER))).toBe(true);
    expect(leftovers()).toEqual([]);
    // Nobody is at it: nothing to wait for.
    await cache.stopMaintenance();
  });

  it("is not doubled: a round here does nothing meanwhile, and a killed daemon blocks nobody", async () => {
    const { cache, bare, child, ended, slow, request, remote, dir } = await packedElsewhere();
    const round = () => cache.maintain({ evictAfterMs: 0, pack: true, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal });
    expect(await round()).toMatchObject({ packed: 0 });
    slow.heal();
    child.kill("SIGKILL");
    await ended;
    await cache.stopMaintenance();
    // The git it left is ended by whoever takes the repository next.
    expect((await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }))).reused).toBe(false);
    expect(gitRuns(bare)).toBe(false);
    expect(await round()).toMatchObject({ packed: 1 });
  });
});

describe("a daemon's rounds of maintenance", () => {
  it("pack nothing while a task of another daemon runs on the same root", async () => {
    const { git, dir, root } = harness();
    const stop = new AbortController();
    const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env: git.env });
    onTestFinished(() => cache.close());
    const { path: bare } = await cache.ensure("ws", makeRemote(git, dir("remotes", "api")));
    writeFileSync(join(bare, MARKER), "x");
    const holder = await holdElsewhere({ root, home: dir("home") }, taskId("1"));
    let rounds = 0;
    const loop = runRepoGc({
      clock: systemClock,
      logger: silentLogger,
      rootSignal: stop.signal,
      barrier: new ClaimBarrier(),
      repoCache: cache,
      config: { workspacesRoot: root },
      settings: { enabled: true, intervalMs: 20, evictAfterMs: 1, pack: true },
      firstMs: 1,
      claims: () => ((rounds += 1), true),
    });
    await waitFor("two rounds", () => rounds >= 2);
    expect(existsSync(join(bare, MARKER))).toBe(true);
    holder.kill("SIGKILL");
    await waitFor("packing", () => !existsSync(join(bare, MARKER)));
    stop.abort(new Error("over"));
    await loop;
  });

  it("are over quickly when a file for waiters was left by a process that died", async () => {
    const { git, dir, cache } = harness();
    const { path: bare } = await cache.ensure("ws", makeRemote(git, dir("remotes", "api")));
    writeFileSync(`${bare}.lock.wanted`, "");
    writeFileSync(join(dirname(bare), "..", ".maintenance.lock.wanted"), "");
    writeFileSync(join(bare, MARKER), "x");
    const round = () => cache.maintain({ evictAfterMs: 0, pack: true, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal });
    await waitFor("a round that packs", async () => (await round()).packed === 1);
    rmSync(`${bare}.lock.wanted`, { force: true });
  });
});
