import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { createRepoCache, createRepoKeeper, findRescue, moveAside } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_B, harness } from "./harness.ts";

async function kept() {
  const made = harness();
  const { git, dir, cache, request, root } = made;
  const remote = makeRemote(git, dir("remotes", "api"), "main", { "README.md": "hello\n" });
  const { path: bare } = await cache.ensure("ws", remote);
  const { path } = await cache.checkout(request(remote));
  writeFileSync(join(path, "README.md"), "edited\r\n");
  mkdirSync(join(path, "sub"));
  writeFileSync(join(path, "sub", "new.txt"), "new");
  await cache.checkout(request(remote, { taskId: TASK_B }));
  const keeper = createRepoKeeper({ root, clock: systemClock, env: git.env });
  const only = async () => findRescue(await keeper.rescues(), (await keeper.rescues())[0]?.id ?? "");
  const cached = async () => (await keeper.caches())[0] ?? expect.fail("no cache");
  return { ...made, remote, bare, path, keeper, only, cached };
}

describe("a repository that was moved aside", () => {
  it("is listed beside the rescues, shown, copied back with its history and dropped", async () => {
    const { git, dir, root, keeper } = await kept();
    const workdir = dir("env", "workdir");
    const own = join(workdir, "own");
    mkdirSync(own);
    git(own, "init", "-q");
    const commit = commitFiles(git, own, { "a.txt": "a" });
    symlinkSync("a.txt", join(own, "link"));
    const [moved] = await moveAside([{ path: own, what: "1 commit" }], { root, workspaceId: "ws", within: workdir, taskId: TASK_B, clock: systemClock });
    const all = await keeper.rescues("ws");
    expect(all).toHaveLength(2);
    expect(await keeper.rescues("other")).toEqual([]);
    const work = findRescue(all, moved?.id.slice(0, 6) ?? "");
    expect(work).toMatchObject({ kind: "directory", checkout: own, task_id: TASK_B, cache: moved?.directory });
    expect(await keeper.show(work, { stat: false })).toContain(work.cache);
    const target = join(dir("restored"), "new");
    await expect(keeper.restore(work, { branch: "x" })).rejects.toMatchObject({ code: "no_branch", exit: 2 });
    await keeper.restore(work, { directory: target });
    expect([git(target, "rev-parse", "HEAD"), readlinkSync(join(target, "link")), git(target, "status", "--porcelain")]).toEqual([commit, "a.txt", "?? link"]);
    await expect(keeper.restore(work, { directory: target })).rejects.toMatchObject({ code: "path_taken" });
    await keeper.forget(all);
    expect([await keeper.rescues(), existsSync(work.cache), readdirSync(join(root, ".kept"))]).toEqual([[], false, []]);
    await expect(keeper.forget([work])).rejects.toMatchObject({ code: "rescue_unknown", exit: 4 });
  });

  it("is never one that leads out of the directory that goes", async () => {
    const { dir, root } = await kept();
    const [workdir, outside] = [dir("env", "workdir"), dir("outside")];
    symlinkSync(outside, join(workdir, "led"));
    await expect(moveAside([{ path: join(workdir, "led"), what: "" }], { root, workspaceId: "ws", within: workdir, taskId: TASK_B, clock: systemClock })).rejects.toMatchObject({ code: "rescue_failed" });
    expect(existsSync(outside)).toBe(true);
  });
});

describe("rescued work", () => {
  it("is listed with what is known of it, shown as a patch and as a list of files", async () => {
    const { keeper, only, path, remote } = await kept();
    const work = await only();
    expect(work).toMatchObject({ kind: "uncommitted", files: 2, checkout: path, branch: "agent/my-agent/0000000000aa", workspace_id: "ws", repository: remote });
    expect(Date.parse(work.expires_at) - Date.parse(work.at)).toBe(30 * 24 * 3_600_000);
    expect(await keeper.show(work, { stat: false })).toContain("+edited");
    expect(await keeper.show(work, { stat: true })).toContain("2 files changed");
  });

  it("is restored byte for byte, or as a branch, and refuses a directory that is in use", async () => {
    const { keeper, only, dir, git, path } = await kept();
    const work = await only();
    const target = join(dir("restored"), "new");
    await keeper.restore(work, { directory: target });
    expect(readFileSync(join(target, "README.md"), "utf8")).toBe("edited\r\n");
    expect(readFileSync(join(target, "sub", "new.txt"), "utf8")).toBe("new");
    expect(existsSync(join(target, ".git"))).toBe(false);
    await expect(keeper.restore(work, { directory: target })).rejects.toMatchObject({ code: "path_taken", exit: 7 });
    await keeper.restore(work, { branch: "found" });
    expect(git(path, "rev-parse", "found")).toBe(work.commit);
    await expect(keeper.restore(work, { branch: "found" })).rejects.toMatchObject({ code: "git_failed" });
    await expect(keeper.restore(work, { branch: "-x" })).rejects.toMatchObject({ code: "bad_branch", exit: 2 });
  });

  it("is dropped when asked, and an unknown id is an error", async () => {
    const { keeper, only } = await kept();
    await keeper.forget([await only()]);
    expect(await keeper.rescues()).toEqual([]);
    expect(() => findRescue([], "abcd")).toThrow(expect.objectContaining({ code: "rescue_unknown", exit: 4 }));
  });
});

describe("a cache", () => {
  it("is found by any form of its URL and described", async () => {
    const { keeper, remote, bare } = await kept();
    expect(await keeper.caches(`${remote}/`)).toMatchObject([{ path: bare, workspace_id: "ws", checkouts: 1, rescues: 1, unpushed: true, url: remote }]);
    await expect(keeper.caches("https://h/none")).rejects.toMatchObject({ code: "repo_not_cached", exit: 4 });
    expect(await keeper.caches(undefined, "other")).toEqual([]);
  });

  it("is fetched; a remote that is away is a failure that changes nothing", async () => {
    const { keeper, remote, bare, git, cached } = await kept();
    const commit = commitFiles(git, remote, { "x.txt": "1" });
    expect((await keeper.fetch(await cached())).status).toBe("fetched");
    expect(git(bare, "rev-parse", "refs/remotes/origin/main")).toBe(commit);
    rmSync(remote, { recursive: true });
    expect((await keeper.fetch(await cached())).status).toBe("failed");
  });

  it("is not dropped while a checkout uses it, nor with work on no remote unless that is said", async () => {
    const { keeper, path, bare, cached, git, dir, remote, root } = await kept();
    const stashes = ["1", "2"].map((text) => {
      writeFileSync(join(path, "README.md"), text);
      git(path, "stash");
      return git(path, "rev-parse", "stash@{0}");
    });
    git(path, "branch", "mine", commitFiles(git, path, { "own.txt": "own" }));
    expect(await keeper.drop(await cached(), true)).toMatchObject({ status: "refused", details: ["1 checkouts use it"] });
    rmSync(path, { recursive: true });
    expect((await keeper.drop(await cached(), false)).status).toBe("refused");
    const work = [git(bare, "rev-parse", "refs/heads/mine"), ...git(bare, "for-each-ref", "--format=%(objectname)", "refs/multica").split("\n"), ...stashes];
    const dropped = await keeper.drop(await cached(), true);
    expect(dropped).toMatchObject({ status: "dropped", details: [expect.stringMatching(/kept for 30 days in .*\.bundle /)] });
    expect(existsSync(bare)).toBe(false);
    const bundle = / in (.*) \(/.exec(dropped.details[0] ?? "")?.[1] ?? "";
    const clone = dir("clone");
    git(clone, "clone", "-q", remote, ".");
    git(clone, "fetch", "-q", bundle, "refs/*:refs/kept/*");
    const found = git(clone, "rev-list", "--all");
    for (const id of work) expect(found).toContain(id);
    const later = (days: number) => createRepoCache({ root, clock: { ...systemClock, now: () => Date.now() + days * 86_400_000 }, logger: silentLogger, env: git.env });
    const round = { evictAfterMs: 0, pack: false, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal };
    await later(29).maintain(round);
    expect(existsSync(bundle)).toBe(true);
    await later(31).maintain(round);
    expect(existsSync(bundle)).toBe(false);
    expect(await keeper.caches()).toEqual([]);
  });

  it("is whole, or what is wrong with it is told; a planted configuration is not obeyed", async () => {
    const { keeper, bare, git, cached, dir } = await kept();
    expect(await keeper.verify(await cached())).toMatchObject({ status: "ok", details: [] });
    writeFileSync(join(bare, "packed-refs.lock"), "");
    git(bare, "update-ref", "refs/heads/x", "HEAD");
    const blob = git(bare, "rev-parse", "HEAD:README.md");
    const packed = join(bare, "objects", blob.slice(0, 2), blob.slice(2));
    expect(await keeper.verify(await cached())).toMatchObject({ status: "findings", details: [expect.stringContaining("packed-refs.lock") as string] });
    if (existsSync(packed)) rmSync(packed);
    const proof = join(dir("proof"), "ran");
    git(bare, "config", "core.sshCommand", `touch ${proof}`);
    expect((await keeper.verify(await cached())).details.join()).toContain("core.sshcommand");
    expect(existsSync(proof)).toBe(false);
  });
});
