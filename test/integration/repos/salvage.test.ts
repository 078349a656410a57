import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock, tryFileLock } from "../../../src/lib/platform/index.ts";
import { createRepoKeeper, findUnpushedWork, onlyIgnored, salvageCheckouts } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_A, harness } from "./harness.ts";

async function world(mode: "linked" | "isolated") {
  const made = harness();
  const { git, dir, cache, request, root } = made;
  const remote = makeRemote(git, dir("remotes", "api"), "main", { "README.md": "hello\n", ".gitignore": "build/\nnode_modules/\n" });
  const { path: bare } = await cache.ensure("ws", remote);
  // Deep below the workdir: an agent checks out wherever it stands.
  const workdir = dir("env", "workdir");
  const { path } = await cache.checkout(request(remote, { mode, workdir: dir("env", "workdir", "a", "b", "c", "d", "e", "f") }));
  const machine = { clock: systemClock, env: git.env };
  const salvage = () => salvageCheckouts({ root, workspaceId: "ws", directory: workdir, taskId: TASK_A, ...machine });
  const reachable = () => git(bare, "rev-list", "--objects", "--exclude=refs/stash", "--all");
  return { ...made, remote, bare, workdir, path, machine, salvage, reachable };
}

describe.each(["linked", "isolated"] as const)("a directory that is to go, deep in it a checkout (%s)", (mode) => {
  it("leaves edits, new files and commits behind as rescues that a person finds", async () => {
    const { git, path, workdir, salvage, reachable, bare, root, machine, dir } = await world(mode);
    const commit = commitFiles(git, path, { "committed.txt": "c" });
    writeFileSync(join(path, "README.md"), "edited\n");
    writeFileSync(join(path, "new.txt"), "new\n");
    mkdirSync(join(path, "build"));
    writeFileSync(join(path, "build", "out"), "made again");
    expect(await findUnpushedWork({ directory: workdir, ...machine })).toEqual([{ path, what: "uncommitted changes" }]);
    const bytes = ["README.md", "new.txt"].map((name) => git(path, "hash-object", name));
    const { saved, homeless } = await salvage();
    expect(homeless).toEqual([]);
    expect(saved.map(({ path: from, cache }) => [from, cache])).toEqual(saved.map(() => [path, bare]));
    for (const { ref, commit: id } of saved) expect(git(bare, "rev-parse", ref)).toBe(id);
    rmSync(workdir, { recursive: true });
    for (const id of [commit, ...bytes]) expect(reachable()).toContain(id);
    const keeper = createRepoKeeper({ root, ...machine });
    const work = (await keeper.rescues()).find((item) => item.kind === "uncommitted") ?? expect.fail("no rescue");
    await keeper.restore(work, { directory: join(dir("found"), "x") });
    expect(readdirSync(join(dir("found"), "x")).sort()).toEqual([".gitignore", "README.md", "committed.txt", "new.txt"]);
    git(bare, "fsck");
  });

  it("leaves a detached commit and files that git was told to overlook behind", async () => {
    const { git, path, salvage, workdir, reachable, machine } = await world(mode);
    git(path, "update-index", "--assume-unchanged", "README.md");
    writeFileSync(join(path, "README.md"), "overlooked\n");
    expect(await findUnpushedWork({ directory: workdir, ...machine })).toMatchObject([{ what: "files whose changes git was told to overlook" }]);
    git(path, "checkout", "-q", "--detach");
    const detached = commitFiles(git, path, { "d.txt": "d" });
    const blob = git(path, "hash-object", "README.md");
    await salvage();
    rmSync(workdir, { recursive: true });
    for (const id of [detached, blob]) expect(reachable()).toContain(id);
  });

  it("is not touched while somebody else works on the cache, and stays when the work cannot be saved", async () => {
    const { path, salvage, bare, workdir } = await world(mode);
    writeFileSync(join(path, "new.txt"), "new\n");
    // A rescue ref cannot be made where a file is in the way.
    mkdirSync(join(bare, "refs", "multica"), { recursive: true });
    writeFileSync(join(bare, "refs", "multica", "rescue"), "in the way");
    await expect(salvage()).rejects.toMatchObject({ code: "rescue_failed" });
    rmSync(join(bare, "refs", "multica", "rescue"));
    const lock = tryFileLock(`${bare}.lock`);
    const pending = salvage();
    const early = await Promise.race([pending, systemClock.sleep(300).then(() => "waiting")]);
    expect(early).toBe("waiting");
    lock?.release();
    expect((await pending).saved).toHaveLength(1);
    expect(existsSync(join(workdir, "a"))).toBe(true);
  });
});

describe("an isolated checkout in a directory that is to go", () => {
  it("leaves every branch, stash and tag behind, and those of worktrees the agent made of it", async () => {
    const { git, path, workdir, salvage, reachable } = await world("isolated");
    writeFileSync(join(path, "README.md"), "stashed 1\n");
    git(path, "stash");
    writeFileSync(join(path, "README.md"), "stashed 2\n");
    git(path, "stash");
    const stashes = ["stash@{0}", "stash@{1}"].map((name) => git(path, "rev-parse", name));
    git(path, "checkout", "-q", "-b", "feature/x");
    const feature = commitFiles(git, path, { "x.txt": "x" });
    git(path, "checkout", "-q", "-b", "other", "origin/main");
    const tagged = commitFiles(git, path, { "t.txt": "t" });
    git(path, "tag", "-a", "-m", "tag", "v1");
    git(path, "reset", "-q", "--hard", "origin/main");
    git(path, "worktree", "add", "-q", "-b", "side", join(workdir, "side"));
    const side = commitFiles(git, join(workdir, "side"), { "s.txt": "s" });
    writeFileSync(join(workdir, "side", "open.txt"), "open");
    const open = git(path, "hash-object", join(workdir, "side", "open.txt"));
    const { saved, homeless } = await salvage();
    expect(homeless).toEqual([]);
    expect(saved.map((item) => item.ref)).toEqual(expect.arrayContaining(["refs/multica/rescue/branch/feature/x", "refs/multica/rescue/branch/tags/v1", "refs/multica/rescue/branch/side", "refs/multica/rescue/branch/stash/1"]));
    rmSync(workdir, { recursive: true });
    for (const id of [...stashes, feature, tagged, side, open]) expect(reachable()).toContain(id);
  });

  it("is named when no cache can keep it, when git cannot read it, and when it leads elsewhere", async () => {
    const { git, workdir, salvage, dir, path } = await world("isolated");
    const own = join(workdir, "own");
    mkdirSync(own);
    git(own, "init", "-q");
    const broken = join(workdir, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, ".git"), "gitdir: /nowhere/at/all\n");
    const elsewhere = dir("elsewhere");
    git(elsewhere, "init", "-q");
    mkdirSync(join(workdir, "leading"));
    symlinkSync(join(elsewhere, ".git"), join(workdir, "leading", ".git"));
    writeFileSync(join(path, "new.txt"), "new\n");
    const { saved, homeless } = await salvage();
    expect(saved).toHaveLength(1);
    expect(homeless).toEqual([
      { path: broken, what: expect.stringContaining("git directory is gone") as string },
      { path: join(workdir, "leading"), what: expect.stringContaining("git directory is gone") as string },
      { path: own, what: "its repository has no cache here" },
    ]);
  });

  it("is saved without anything that an agent planted being run", async () => {
    const { git, path, salvage, dir, reachable } = await world("isolated");
    const proof = join(dir("proof"), "ran");
    git(path, "config", "core.fsmonitor", `touch ${proof}`);
    git(path, "config", "filter.x.clean", `touch ${proof}; cat`);
    writeFileSync(join(path, ".gitattributes"), "* filter=x\n");
    writeFileSync(join(path, "new.txt"), "new\n");
    await salvage();
    expect(existsSync(proof)).toBe(false);
    expect(reachable()).toContain(git(path, "-c", "core.fsmonitor=false", "hash-object", "--no-filters", "new.txt"));
  });
});

describe("directories that a build can make again", () => {
  it("are those that git ignores or that lie in no checkout", async () => {
    const { git, path, workdir, machine } = await world("linked");
    const make = (...parts: string[]): string => {
      mkdirSync(join(...parts), { recursive: true });
      writeFileSync(join(...parts, "file"), "x");
      return join(...parts);
    };
    const ignored = make(path, "node_modules");
    const loose = make(workdir, "node_modules");
    const untracked = make(path, ".next");
    const tracked = make(path, "sub", "node_modules");
    git(path, "add", "-f", "sub/node_modules/file");
    expect(await onlyIgnored([ignored, loose, untracked, tracked], { within: workdir, ...machine })).toEqual([ignored, loose]);
    git(path, "config", "core.fsmonitor", "true");
    git(path, "config", "core.sshCommand", "x");
    expect(await onlyIgnored([ignored], { within: workdir, ...machine })).toEqual([]);
  });
});
