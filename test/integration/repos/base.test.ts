import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { harness } from "./harness.ts";

/** A cached repository with branches main and feat, and a tag on the first commit. */
async function cached() {
  const made = harness();
  const { git, dir, cache, request } = made;
  const remote = makeRemote(git, dir("remotes", "api"));
  const first = git(remote, "rev-parse", "HEAD");
  git(remote, "tag", "v1");
  git(remote, "checkout", "-q", "-b", "feat");
  const feat = commitFiles(git, remote, { "feat.txt": "1" });
  git(remote, "checkout", "-q", "main");
  const { path: bare } = await cache.ensure("ws", remote);
  let count = 0;
  const base = async (ref?: string): Promise<string | undefined> => {
    count += 1;
    const patch = { workdir: dir("work", String(count)), taskId: `task-${count}` };
    return (await cache.checkout(request(remote, ref === undefined ? patch : { ...patch, ref }))).baseCommit;
  };
  return { ...made, remote, bare, first, feat, base };
}

describe("the revision a checkout starts from", () => {
  it("is the asked branch, tag, commit or shortened commit", async () => {
    const { base, first, feat } = await cached();
    expect(await base("feat")).toBe(feat);
    expect(await base("v1")).toBe(first);
    expect(await base(first)).toBe(first);
    expect(await base(feat.slice(0, 8))).toBe(feat);
    expect(await base("refs/tags/v1")).toBe(first);
    expect(await base("  feat ")).toBe(feat);
    expect(await base("")).toBe(first);
  });

  it("is the branch when a tag has the same name", async () => {
    const { git, remote, base, first, feat } = await cached();
    git(remote, "tag", "feat", first);
    expect(await base("feat")).toBe(feat);
  });

  it("can be a commit that the cache does not have but the remote gives out", async () => {
    const { git, remote, base } = await cached();
    git(remote, "config", "uploadpack.allowAnySHA1InWant", "true");
    git(remote, "checkout", "-q", "--detach");
    const hidden = commitFiles(git, remote, { "hidden.txt": "1" });
    git(remote, "checkout", "-q", "main");
    expect(await base(hidden)).toBe(hidden);
  });

  it.each(["nowhere", "-h", "--upload-pack=touch x", "feat~1", "feat..main", "HEAD", "@{-1}", "a b", "x\ny", ":/first", "deadbeef", "0".repeat(40)])(
    "is refused for %j and leaves nothing at the path",
    async (ref) => {
      const { base, dir, git, bare } = await cached();
      if (ref === "HEAD") return void (await expect(base(ref)).resolves.toMatch(/^[0-9a-f]{40}$/));
      await expect(base(ref)).rejects.toMatchObject({ code: "ref_unknown", message: expect.stringContaining("cannot resolve requested ref") as string });
      expect(readdirSync(join(dir("work"), "1"))).toEqual([]);
      expect(git(bare, "for-each-ref", "refs/heads/agent")).toBe("");
    },
  );

  it("never is the stale snapshot of a branch", async () => {
    const { git, bare, base } = await cached();
    git(bare, "update-ref", "refs/heads/stale", "refs/remotes/origin/main");
    await expect(base("stale")).rejects.toMatchObject({ code: "ref_unknown" });
  });

  it("is the remote's default branch, also after it was renamed", async () => {
    const { git, remote, base } = await cached();
    git(remote, "checkout", "-q", "feat");
    const commit = commitFiles(git, remote, { "feat.txt": "2" });
    expect(await base()).toBe(commit);
  });

  it("falls back, when the remote is away and origin/HEAD is missing, to main, to the bare HEAD, to the only branch", async () => {
    const { git, remote, bare, base, first, feat, dir } = await cached();
    git(remote, "config", "core.repositoryformatversion", "99");
    git(bare, "symbolic-ref", "-d", "refs/remotes/origin/HEAD");
    expect(await base()).toBe(first);
    git(bare, "update-ref", "refs/remotes/origin/develop", feat);
    git(bare, "update-ref", "-d", "refs/remotes/origin/main");
    git(bare, "symbolic-ref", "HEAD", "refs/heads/develop");
    expect(await base()).toBe(feat);
    git(bare, "symbolic-ref", "HEAD", "refs/heads/none");
    await expect(base()).rejects.toMatchObject({ code: "repo_no_default", message: expect.stringContaining(`cannot resolve default branch for ${remote}`) as string });
    expect(readdirSync(join(dir("work"), "3"))).toEqual([]);
    git(bare, "update-ref", "-d", "refs/remotes/origin/develop");
    expect(await base()).toBe(feat);
    git(bare, "update-ref", "refs/heads/none", first);
    git(bare, "update-ref", "-d", "refs/remotes/origin/feat");
    expect(await base()).toBe(first);
  });

  it("skips an origin/HEAD whose branch is gone", async () => {
    const { git, remote, bare, base, first } = await cached();
    git(remote, "config", "core.repositoryformatversion", "99");
    git(bare, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone");
    expect(await base()).toBe(first);
  });

  it("does not exist for a repository without commits", async () => {
    const { cache, git, dir, request } = harness();
    const remote = dir("remotes", "empty.git");
    git(remote, "init", "-q", "--bare");
    await cache.ensure("ws", remote);
    await expect(cache.checkout(request(remote))).rejects.toMatchObject({ code: "repo_empty", message: `repository has no commits yet: ${remote}` });
    await expect(cache.checkout(request(remote, { mode: "isolated" }))).rejects.toMatchObject({ code: "repo_empty" });
  });
});
