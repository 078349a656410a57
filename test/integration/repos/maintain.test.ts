import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/lib/platform/index.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { type MaintenanceRequest, createRepoCache } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { waitFor } from "../../support/wait.ts";
import { TASK_B, harness } from "./harness.ts";

const DAY = 24 * 3_600_000;
const MARKER = ".multica-maintenance-pending";

async function used() {
  const made = harness();
  const { git, dir, cache, request, root } = made;
  const remote = makeRemote(git, dir("remotes", "api"));
  const { path: bare } = await cache.ensure("ws", remote);
  const { path, branchName } = await cache.checkout(request(remote));
  const tidy = (patch: Partial<MaintenanceRequest> = {}, days = 0) => {
    const clock: Clock = { ...systemClock, now: () => Date.now() + days * DAY };
    const later = days === 0 ? cache : createRepoCache({ root, clock, logger: silentLogger, env: git.env });
    return later.maintain({ evictAfterMs: 30 * DAY, pack: true, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal, ...patch });
  };
  const refs = (prefix: string): string[] => git(bare, "for-each-ref", "--format=%(refname)", prefix).split("\n").filter((line) => line !== "");
  return { ...made, remote, bare, path, branchName, tidy, refs };
}

describe("maintenance of a cache", () => {
  it("deletes branches of checkouts that are gone and keeps unpushed ones as rescue refs", async () => {
    const { git, bare, path, branchName, cache, request, remote, dir, tidy, refs } = await used();
    const second = await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    const lost = commitFiles(git, path, { "a.txt": "1" });
    git(bare, "branch", "agent/merged/1", "refs/remotes/origin/main");
    git(bare, "branch", "feature/agent", lost);
    rmSync(path, { recursive: true });
    expect(await tidy()).toMatchObject({ branches: 2, packed: 1 });
    expect(refs("refs/heads").sort()).toEqual([`refs/heads/${second.branchName}`, "refs/heads/feature/agent", "refs/heads/main"].sort());
    expect(refs("refs/multica")).toEqual([`refs/multica/rescue/branch/${branchName}`]);
    expect(git(bare, "rev-parse", `refs/multica/rescue/branch/${branchName}`)).toBe(lost);
    expect(existsSync(join(bare, MARKER))).toBe(false);
    git(bare, "fsck");
  });

  it("keeps a branch that is literally called agent", async () => {
    const { git, bare, path, tidy, refs } = await used();
    git(path, "checkout", "-q", "--detach");
    git(bare, "update-ref", "-d", "refs/heads/agent/my-agent/0000000000aa");
    git(bare, "branch", "agent", "refs/remotes/origin/main");
    await tidy();
    expect(refs("refs/heads")).toContain("refs/heads/agent");
  });

  it("keeps the commits of a vanished checkout that had no branch", async () => {
    const { git, bare, path, tidy, refs } = await used();
    git(path, "checkout", "-q", "--detach");
    const lost = commitFiles(git, path, { "a.txt": "1" });
    rmSync(path, { recursive: true });
    await tidy();
    expect(refs("refs/multica/rescue/head").map((ref) => git(bare, "rev-parse", ref))).toEqual([lost]);
  });

  it("packs nothing when nothing was deleted, and what an interrupted round left when there is a marker", async () => {
    const { bare, tidy } = await used();
    expect(await tidy()).toMatchObject({ branches: 0, packed: 0 });
    writeFileSync(join(bare, MARKER), "x");
    expect(await tidy({ isIdle: () => false })).toMatchObject({ packed: 0 });
    expect(await tidy({ pack: false })).toMatchObject({ packed: 0 });
    expect(existsSync(join(bare, MARKER))).toBe(true);
    expect(await tidy()).toMatchObject({ packed: 1 });
    expect(existsSync(join(bare, MARKER))).toBe(false);
  });

  it("leaves stashes alone however old they are", async () => {
    const { git, bare, path, tidy } = await used();
    writeFileSync(join(path, "README.md"), "stashed\n");
    const env = { GIT_COMMITTER_DATE: "2001-01-01T00:00:00Z", GIT_AUTHOR_DATE: "2001-01-01T00:00:00Z" };
    Object.assign(git.env, env);
    git(path, "stash");
    for (const name of Object.keys(env)) delete git.env[name];
    writeFileSync(join(bare, MARKER), "x");
    expect(await tidy()).toMatchObject({ packed: 1 });
    expect(git(path, "stash", "list").split("\n")).toHaveLength(1);
    expect(git(path, "show", "stash@{0}:README.md")).toBe("stashed");
  });

  it("makes room for a checkout and leaves the marker and older lock files", async () => {
    const { git, bare, cache, request, remote, dir, tidy } = await used();
    writeFileSync(join(bare, MARKER), "x");
    const old = join(bare, "refs", "heads", "old.lock");
    writeFileSync(old, "");
    let asked = 0;
    // Standing still between two steps, as a long gc would.
    const round = tidy({ isIdle: () => ((asked += 1), true), pack: true });
    const done = await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    expect(done.reused).toBe(false);
    await round;
    expect(existsSync(old)).toBe(true);
    expect(readdirSync(bare).filter((name) => name.endsWith(".lock"))).toEqual([]);
    expect(cache.activity()).toEqual({ maintenance: 0, waiters: 0 });
    git(bare, "fsck");
  });

  it("ends at once, with everything it started, when agents are to start", async () => {
    const { bare, cache, tidy, git, dir } = await used();
    writeFileSync(join(bare, MARKER), "x");
    const slow = join(dir("bin"), "slow");
    writeFileSync(slow, "#!/bin/sh\nexec sleep 300\n", { mode: 0o755 });
    git(bare, "config", "gc.pruneExpire", "now");
    const { createRepoCache: create } = await import("../../../src/lib/repos/index.ts");
    const bin = join(dir("bin"), "git");
    const real = git(bare, "--exec-path");
    writeFileSync(bin, `#!/bin/sh\nfor a in "$@"; do [ "$a" = gc ] && { echo x > "${dir("bin")}/started"; exec "${slow}"; }; done\nexec "${real}/git" "$@"\n`, { mode: 0o755 });
    const other = create({ root: dirname(dirname(dirname(bare))), clock: systemClock, logger: silentLogger, env: { ...git.env, PATH: `${dir("bin")}:${git.env["PATH"] ?? ""}` } });
    const round = other.maintain({ evictAfterMs: 0, pack: true, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal });
    await waitFor("gc to run", () => existsSync(join(dir("bin"), "started")));
    expect(other.activity().maintenance).toBe(1);
    await other.stopMaintenance();
    await round;
    expect(other.activity().maintenance).toBe(0);
    expect(existsSync(join(bare, MARKER))).toBe(true);
    expect(await tidy()).toMatchObject({ packed: 1 });
    expect(cache.activity().maintenance).toBe(0);
  });

  it("skips a cache that somebody holds", async () => {
    const { bare, tidy } = await used();
    writeFileSync(join(bare, MARKER), "x");
    const { tryFileLock } = await import("../../../src/lib/platform/index.ts");
    const held = tryFileLock(`${bare}.lock`);
    expect(await tidy()).toMatchObject({ packed: 0 });
    held?.release();
    expect(await tidy()).toMatchObject({ packed: 1 });
  });

  it("drops rescued work after thirty days, counted from when it was saved", async () => {
    const { git, path, bare, cache, request, remote, tidy, refs } = await used();
    writeFileSync(join(path, "README.md"), "edited\n");
    await cache.checkout(request(remote, { taskId: TASK_B }));
    git(bare, "update-ref", "refs/multica/rescue/branch/agent/old/1", git(bare, "commit-tree", "-m", "old", "HEAD^{tree}"));
    expect(await tidy({}, 29)).toMatchObject({ rescuesExpired: 0 });
    expect(await tidy({}, 31)).toMatchObject({ rescuesExpired: 1 });
    expect(refs("refs/multica")).toEqual(["refs/multica/rescue/branch/agent/old/1"]);
    expect(await tidy({}, 60)).toMatchObject({ rescuesExpired: 1 });
  });

  it("removes clones that were cut off a day ago", async () => {
    const { bare, tidy } = await used();
    const [fresh, stale] = [`${bare}.tmp-1`, `${bare}.tmp-2`];
    for (const path of [fresh, stale]) mkdirSync(path);
    utimesSync(stale, new Date(Date.now() - 2 * DAY), new Date(Date.now() - 2 * DAY));
    await tidy();
    expect([existsSync(fresh), existsSync(stale)]).toEqual([true, false]);
  });
});

describe("eviction of a cache", () => {
  it("takes what nobody claims, uses or has wanted for long, and the empty workspace with it", async () => {
    const { bare, path, tidy } = await used();
    rmSync(path, { recursive: true });
    expect(await tidy({ isClaimed: (): boolean => false, isIdle: () => false }, 31)).toMatchObject({ evicted: 1 });
    expect(existsSync(dirname(bare))).toBe(false);
  });

  it.each([
    ["a workspace claims it", {}, 31],
    ["it was wanted not long ago", { isClaimed: (): boolean => false }, 20],
    ["eviction is off", { isClaimed: (): boolean => false, evictAfterMs: 0 }, 31],
  ] as const)("leaves it when %s", async (_why, patch, days) => {
    const { bare, path, tidy } = await used();
    rmSync(path, { recursive: true });
    expect(await tidy(patch, days)).toMatchObject({ evicted: 0 });
    expect(existsSync(bare)).toBe(true);
  });

  it("leaves one with a checkout, with rescued work, and with commits of the user's", async () => {
    const { git, bare, path, tidy } = await used();
    const gone = { isClaimed: () => false };
    expect(await tidy(gone, 31)).toMatchObject({ evicted: 0 });
    commitFiles(git, path, { "a.txt": "1" });
    rmSync(path, { recursive: true });
    expect(await tidy(gone, 31)).toMatchObject({ evicted: 0 });
    git(bare, "update-ref", "refs/heads/mine", git(bare, "rev-parse", "refs/multica/rescue/branch/agent/my-agent/0000000000aa"));
    expect(await tidy(gone, 70)).toMatchObject({ evicted: 0 });
    git(bare, "update-ref", "-d", "refs/heads/mine");
    expect(await tidy(gone, 140)).toMatchObject({ evicted: 1 });
  });

  it("gives one without a stamp a stamp, and stays when it is claimed at the last moment", async () => {
    const { bare, path, tidy } = await used();
    rmSync(path, { recursive: true });
    rmSync(join(bare, ".multica_last_used"));
    expect(await tidy({ isClaimed: () => false }, 0)).toMatchObject({ evicted: 0 });
    expect(existsSync(join(bare, ".multica_last_used"))).toBe(true);
    const asked: string[] = [];
    const isClaimed = (_workspace: string, name: string): boolean => asked.push(name) > 1;
    expect(await tidy({ isClaimed }, 31)).toMatchObject({ evicted: 0 });
    expect(asked).toEqual([basename(bare), basename(bare)]);
    expect(existsSync(bare)).toBe(true);
  });
});
