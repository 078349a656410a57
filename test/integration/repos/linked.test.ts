import { existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_A, TASK_B, harness } from "./harness.ts";

describe("a linked checkout", () => {
  it("has the files of the base on a branch of the task's own without upstream", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const result = await cache.checkout(request(remote));
    expect(result).toMatchObject({ mode: "linked", reused: false, stale: false, branchName: "agent/my-agent/0000000000aa", warnings: [] });
    expect(result.path).toBe(join(dir("work"), "api"));
    expect(readFileSync(join(result.path, "README.md"), "utf8")).toBe("hello\n");
    expect(git(result.path, "status", "--porcelain", "--branch")).toBe("## agent/my-agent/0000000000aa");
    expect(result.baseCommit).toBe(git(remote, "rev-parse", "HEAD"));
  });

  it("shows the cache every commit that is made in it", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const { path } = await cache.checkout(request(remote));
    const commit = commitFiles(git, path, { "new.txt": "x" });
    expect(git(bare, "cat-file", "-t", commit)).toBe("commit");
    expect(git(bare, "rev-parse", "refs/heads/agent/my-agent/0000000000aa")).toBe(commit);
  });

  it("needs a cached repository and says which one is missing", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await expect(cache.checkout(request(remote))).rejects.toMatchObject({
      code: "repo_not_cached",
      message: `repo not found in cache: ${remote} (workspace: ws)`,
    });
  });

  it("is returned untouched when the task asks again", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const first = await cache.checkout(request(remote));
    writeFileSync(join(first.path, "README.md"), "edited\n");
    writeFileSync(join(first.path, "untracked.txt"), "mine\n");
    commitFiles(git, remote, { "README.md": "newer\n" });
    const again = await cache.checkout(request(remote));
    expect(again).toMatchObject({ path: first.path, branchName: first.branchName, reused: true, warnings: [] });
    expect(readFileSync(join(first.path, "README.md"), "utf8")).toBe("edited\n");
    expect(existsSync(join(first.path, "untracked.txt"))).toBe(true);
  });

  it("comes from the cached state, and says so, when the remote is away", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    rmSync(remote, { recursive: true });
    const result = await cache.checkout(request(remote));
    expect(result.stale).toBe(true);
    expect(result.warnings.join()).toContain("the code may be old");
    expect(existsSync(join(result.path, "README.md"))).toBe(true);
  });

  it("starts from the newest commit of the remote", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const commit = commitFiles(git, remote, { "README.md": "newer\n" });
    expect((await cache.checkout(request(remote))).baseCommit).toBe(commit);
  });

  it.each([
    ["a directory with files", (path: string) => (mkdirSync(path), writeFileSync(join(path, "keep.txt"), "keep"))],
    ["a file", (path: string) => writeFileSync(path, "keep")],
    ["a link to a directory", (path: string) => (mkdirSync(`${path}-real`), symlinkSync(`${path}-real`, path))],
    ["a git repository of another kind", (path: string) => (mkdirSync(join(path, ".git"), { recursive: true }), writeFileSync(join(path, ".git", "config"), ""))],
  ])("refuses a path that holds %s, leaks no branch and leaves it as it is", async (_what, occupy) => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    occupy(join(dir("work"), "api"));
    const before = readdirSync(dir("work"), { recursive: true });
    await expect(cache.checkout(request(remote))).rejects.toMatchObject({
      code: "path_taken",
      message: `worktree path already exists and is not a valid git worktree: ${join(dir("work"), "api")}`,
    });
    expect(readdirSync(dir("work"), { recursive: true })).toEqual(before);
    expect(git(bare, "for-each-ref", "refs/heads/agent")).toBe("");
  });

  it("accepts an empty directory", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    mkdirSync(join(dir("work"), "api"));
    expect((await cache.checkout(request(remote))).reused).toBe(false);
  });

  it("takes another branch name when the task's is taken, and carries the one it made", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    git(bare, "branch", "agent/my-agent/0000000000aa", "refs/remotes/origin/main");
    const result = await cache.checkout(request(remote));
    expect(result.branchName).toMatch(/^agent\/my-agent\/0000000000aa-\d{10}$/);
    expect(git(result.path, "branch", "--show-current")).toBe(result.branchName);
  });

  it("goes beside a branch that blocks the whole prefix", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    git(bare, "branch", "agent/my-agent", "refs/remotes/origin/main");
    expect((await cache.checkout(request(remote))).branchName).toBe("agent-my-agent/0000000000aa");
  });

  it("never deletes a branch it did not make, even when every name is taken", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    git(bare, "branch", "agent/my-agent/0000000000aa", "refs/remotes/origin/main");
    const now = Math.floor(Date.now() / 1000);
    for (let second = now - 1; second < now + 20; second += 1) {
      for (const tail of ["", "-2", "-3"]) git(bare, "branch", `agent/my-agent/0000000000aa-${second}${tail}`, "refs/remotes/origin/main");
    }
    const before = git(bare, "for-each-ref");
    await expect(cache.checkout(request(remote))).rejects.toMatchObject({ code: "git_failed" });
    expect(git(bare, "for-each-ref")).toBe(before);
    expect(readdirSync(dir("work"))).toEqual([]);
  });

  it("gives two repositories of one name two directories, at once and one after the other", async () => {
    const { cache, git, dir, request } = harness();
    const a = makeRemote(git, dir("org-a", "api"), "main", { "who.txt": "a" });
    const b = makeRemote(git, dir("org-b", "api"), "main", { "who.txt": "b" });
    await cache.sync("ws", [a, b]);
    const results = await Promise.all([cache.checkout(request(a)), cache.checkout(request(b))]);
    expect(new Set(results.map((result) => result.path)).size).toBe(2);
    expect(results.map((result) => readFileSync(join(result.path, "who.txt"), "utf8"))).toEqual(["a", "b"]);
    expect((await cache.checkout(request(b))).path).toBe(results[1]?.path);
    expect(results.map((result) => basename(result.path)).sort()[1]).toMatch(/^api-[0-9a-f]{8}$/);
  });

  it("makes two checkouts of one repository at once", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const results = await Promise.all([
      cache.checkout(request(remote, { workdir: dir("work-a") })),
      cache.checkout(request(remote, { workdir: dir("work-b"), taskId: TASK_B })),
    ]);
    expect(results.map((result) => result.branchName)).toEqual(["agent/my-agent/0000000000aa", "agent/my-agent/0000000000bb"]);
  });

  it("works again at a path whose directory was deleted by hand, with one registration", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const first = await cache.checkout(request(remote));
    rmSync(first.path, { recursive: true });
    const second = await cache.checkout(request(remote, { taskId: TASK_B }));
    expect(second.path).toBe(first.path);
    expect(readdirSync(join(bare, "worktrees"))).toHaveLength(1);
  });

  it("makes a checkout anew whose making was cut off", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const first = await cache.checkout(request(remote));
    const registration = join(bare, "worktrees", readdirSync(join(bare, "worktrees"))[0] ?? "");
    writeFileSync(join(registration, "locked"), "initializing");
    rmSync(join(first.path, "README.md"));
    const second = await cache.checkout(request(remote, { taskId: TASK_B }));
    expect(second.reused).toBe(false);
    expect(existsSync(join(second.path, "README.md"))).toBe(true);
  });

  it("has the remote's present branches at hand", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    git(remote, "branch", "feat");
    await cache.ensure("ws", remote);
    git(remote, "checkout", "-q", "feat");
    const newest = commitFiles(git, remote, { "feat.txt": "1" });
    const { path } = await cache.checkout(request(remote));
    git(path, "checkout", "-q", "feat");
    expect(git(path, "rev-parse", "HEAD")).toBe(newest);
    expect(git(path, "rev-parse", "--abbrev-ref", "@{upstream}")).toBe("origin/feat");
  });

  it("keeps the context directories out of commits and a CLAUDE.md in", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const { path } = await cache.checkout(request(remote));
    await cache.checkout(request(remote, { workdir: dir("other"), taskId: TASK_B }));
    mkdirSync(join(path, ".agent_context"));
    writeFileSync(join(path, ".agent_context", "issue.md"), "x");
    writeFileSync(join(path, "CLAUDE.md"), "x");
    expect(git(path, "status", "--porcelain")).toBe("?? CLAUDE.md");
    const lines = readFileSync(join(bare, "info", "exclude"), "utf8").split("\n");
    expect(lines.filter((line) => line === "/.agent_context/")).toHaveLength(1);
  });

  it("removes what a failed checkout left and keeps the cache usable", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    await expect(cache.checkout(request(remote, { ref: "nowhere" }))).rejects.toMatchObject({ code: "ref_unknown", exit: 4 });
    expect(readdirSync(dir("work"))).toEqual([]);
    expect(git(bare, "for-each-ref", "refs/heads/agent")).toBe("");
    // Wanting it counts, whatever became of it (case 72).
    expect(existsSync(join(bare, ".multica_last_used"))).toBe(true);
    expect((await cache.checkout(request(remote, { taskId: TASK_A }))).branchName).toBe("agent/my-agent/0000000000aa");
    expect(dirname(bare).endsWith(join(".repos", "ws"))).toBe(true);
  });
});
