import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkoutNames } from "../../../src/lib/repos/names.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_A, harness } from "./harness.ts";

describe("an isolated checkout", () => {
  it("has its whole git directory in place, the real origin, and one branch", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    git(remote, "branch", "feat");
    git(remote, "tag", "v1");
    const { path: bare } = await cache.ensure("ws", remote);
    const result = await cache.checkout(request(remote, { mode: "isolated" }));
    expect(result).toMatchObject({ mode: "isolated", reused: false, branchName: "agent/my-agent/0000000000aa" });
    expect(statSync(join(result.path, ".git")).isDirectory()).toBe(true);
    expect(existsSync(join(result.path, ".git", "objects", "info", "alternates"))).toBe(false);
    expect(git(result.path, "remote", "-v").split("\n").every((line) => line.startsWith(`origin\t${remote} `))).toBe(true);
    expect(git(result.path, "for-each-ref", "--format=%(refname)", "refs/heads")).toBe("refs/heads/agent/my-agent/0000000000aa");
    expect(git(result.path, "symbolic-ref", "refs/remotes/origin/HEAD")).toBe("refs/remotes/origin/main");
    expect(git(result.path, "rev-parse", "origin/feat", "v1").split("\n")).toHaveLength(2);
    expect(git(bare, "for-each-ref", "refs/heads/agent")).toBe("");
    expect(readFileSync(join(result.path, "README.md"), "utf8")).toBe("hello\n");
    expect(git(result.path, "status", "--porcelain", "--branch")).toBe("## agent/my-agent/0000000000aa");
    expect(readdirSync(dir("work"))).toEqual(["api"]);
  });

  it("lives on when the cache is deleted", async () => {
    const { cache, git, dir, request, root } = harness();
    const remote = dir("remotes", "api.git");
    git(remote, "init", "-q", "--bare");
    const seed = makeRemote(git, dir("seed"));
    git(seed, "push", "-q", remote, "main");
    await cache.ensure("ws", remote);
    const { path, branchName } = await cache.checkout(request(remote, { mode: "isolated" }));
    rmSync(root, { recursive: true });
    const commit = commitFiles(git, path, { "new.txt": "x" });
    git(path, "push", "-q", "origin", "HEAD");
    expect(git(remote, "rev-parse", branchName)).toBe(commit);
    expect(git(path, "log", "--oneline").split("\n")).toHaveLength(2);
  });

  it("stays isolated, and the task's own work untouched, whatever the next request says", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const first = await cache.checkout(request(remote, { mode: "isolated" }));
    writeFileSync(join(first.path, "README.md"), "edited\n");
    const again = await cache.checkout(request(remote, { mode: "linked" }));
    expect(again).toMatchObject({ path: first.path, mode: "isolated", reused: true, branchName: first.branchName });
    expect(readFileSync(join(first.path, "README.md"), "utf8")).toBe("edited\n");
  });

  it("of another repository makes room for a second directory", async () => {
    const { cache, git, dir, request } = harness();
    const a = makeRemote(git, dir("org-a", "api"), "main", { "who.txt": "a" });
    const b = makeRemote(git, dir("org-b", "api"), "main", { "who.txt": "b" });
    await cache.sync("ws", [a, b]);
    await cache.checkout(request(a, { mode: "isolated" }));
    const second = await cache.checkout(request(b, { mode: "isolated" }));
    expect(readFileSync(join(second.path, "who.txt"), "utf8")).toBe("b");
    expect(readFileSync(join(dir("work"), "api", "who.txt"), "utf8")).toBe("a");
  });

  it("refuses an occupied path and leaves its content intact", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    mkdirSync(join(dir("work"), "api"));
    writeFileSync(join(dir("work"), "api", "keep.txt"), "keep");
    await expect(cache.checkout(request(remote, { mode: "isolated" }))).rejects.toMatchObject({
      message: `checkout path already exists and is not a Multica isolated checkout: ${join(dir("work"), "api")}`,
    });
    expect(readdirSync(join(dir("work"), "api"))).toEqual(["keep.txt"]);
    expect(readdirSync(dir("work"))).toEqual(["api"]);
  });

  it("keeps the context directories out of commits and a CLAUDE.md in, each pattern once", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const { path } = await cache.checkout(request(remote, { mode: "isolated" }));
    await cache.checkout(request(remote, { mode: "isolated" }));
    for (const name of [".agent_context", ".multica"]) {
      mkdirSync(join(path, name));
      writeFileSync(join(path, name, "x"), "x");
    }
    writeFileSync(join(path, "CLAUDE.md"), "x");
    expect(git(path, "status", "--porcelain")).toBe("?? CLAUDE.md");
    const lines = readFileSync(join(path, ".git", "info", "exclude"), "utf8").split("\n");
    for (const pattern of ["/.agent_context/", "/.multica/"]) expect(lines.filter((line) => line === pattern)).toHaveLength(1);
  });

  it("leaves a linked one of another repository at its path as it is", async () => {
    const { cache, git, dir, request } = harness();
    const a = makeRemote(git, dir("org-a", "api"), "main", { "who.txt": "a" });
    const b = makeRemote(git, dir("org-b", "api"), "main", { "who.txt": "b" });
    await cache.sync("ws", [a, b]);
    const first = await cache.checkout(request(a));
    writeFileSync(join(first.path, "open.txt"), "open");
    const second = await cache.checkout(request(b, { mode: "isolated", taskId: "third-0000-0000-0000-00000000cccc" }));
    expect(second.path).not.toBe(first.path);
    expect([git(first.path, "status", "--porcelain"), git(first.path, "branch", "--show-current")]).toEqual(["?? open.txt", first.branchName]);
    expect(readFileSync(join(second.path, "who.txt"), "utf8")).toBe("b");
  });

  it("has its files although the cache is a partial clone", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    git(remote, "config", "uploadpack.allowFilter", "true");
    git(remote, "config", "uploadpack.allowAnySHA1InWant", "true");
    const bare = cache.cachePath("ws", `file://${remote}`);
    mkdirSync(join(bare, ".."), { recursive: true });
    git(join(bare, ".."), "clone", "-q", "--bare", "--filter=blob:none", `file://${remote}`, bare);
    const result = await cache.checkout(request(`file://${remote}`, { mode: "isolated" }));
    expect(readFileSync(join(result.path, "README.md"), "utf8")).toBe("hello\n");
    expect(git(result.path, "status", "--porcelain")).toBe("");
  });

  it("removes what a killed attempt left beside it", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    await cache.ensure("ws", remote);
    const first = await cache.checkout(request(remote, { mode: "isolated" }));
    rmSync(first.path, { recursive: true });
    mkdirSync(join(dir("work"), `.${checkoutNames(remote).distinct}.tmp-0123456789ab`, "half"), { recursive: true });
    await cache.checkout(request(remote, { mode: "isolated" }));
    expect(readdirSync(dir("work"))).toEqual(["api"]);
  });
});

describe("collecting the work of an isolated checkout", () => {
  async function worked() {
    const made = harness();
    const remote = makeRemote(made.git, made.dir("remotes", "api"));
    const { path: bare } = await made.cache.ensure("ws", remote);
    const checkout = await made.cache.checkout(made.request(remote, { mode: "isolated" }));
    const collect = () => made.cache.collect({ path: checkout.path, cache: bare, taskId: TASK_A, branchName: checkout.branchName });
    return { ...made, bare, checkout, collect };
  }

  it("makes the commits known to the cache under a ref of their own", async () => {
    const { git, bare, checkout, collect } = await worked();
    commitFiles(git, checkout.path, { "a.txt": "1" });
    const commit = commitFiles(git, checkout.path, { "a.txt": "2" });
    const ref = `refs/multica/tasks/0000000000aa/${checkout.branchName}`;
    expect(await collect()).toEqual([{ branch: checkout.branchName, ref, commit }]);
    expect(git(bare, "cat-file", "-t", commit)).toBe("commit");
    expect(git(bare, "rev-parse", ref)).toBe(commit);
    rmSync(checkout.path, { recursive: true });
    git(bare, "fsck", "--connectivity-only");
    expect(git(bare, "show", `${commit}:a.txt`)).toBe("2");
    expect(readdirSync(join(bare, "..")).filter((name) => name.includes(".tmp-"))).toEqual([]);
  });

  it("takes the branch that is checked out along, and packed refs too", async () => {
    const { git, checkout, collect } = await worked();
    git(checkout.path, "checkout", "-q", "-b", "feature/own");
    const commit = commitFiles(git, checkout.path, { "a.txt": "1" });
    git(checkout.path, "pack-refs", "--all");
    const refs = await collect();
    expect(refs.map((item) => item.branch)).toEqual([checkout.branchName, "feature/own"]);
    expect(refs[1]?.commit).toBe(commit);
  });

  it("can be repeated and follows a rewritten branch", async () => {
    const { git, checkout, collect } = await worked();
    commitFiles(git, checkout.path, { "a.txt": "1" });
    await collect();
    git(checkout.path, "commit", "-q", "--amend", "-m", "other");
    expect((await collect())[0]?.commit).toBe(git(checkout.path, "rev-parse", "HEAD"));
  });

  it("runs nothing of the agent's configuration or hooks", async () => {
    const { git, dir, bare, checkout, collect } = await worked();
    const commit = commitFiles(git, checkout.path, { "a.txt": "1", ".gitattributes": "* filter=evil\n" });
    const proof = join(dir("proof"), "ran");
    const evil = `sh -c 'touch ${proof}; cat'`;
    for (const [key, value] of [
      ["core.fsmonitor", evil],
      ["core.sshCommand", evil],
      ["core.alternateRefsCommand", evil],
      ["uploadpack.packObjectsHook", evil],
      ["filter.evil.clean", evil],
      ["remote.origin.uploadpack", evil],
      ["remote.origin.promisor", "true"],
      ["remote.origin.url", `ext::${evil}`],
    ]) git(checkout.path, "config", key ?? "", value ?? "");
    for (const hook of ["reference-transaction", "post-checkout", "pre-receive"]) {
      writeFileSync(join(checkout.path, ".git", "hooks", hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    }
    rmSync(proof, { force: true });
    await collect();
    expect(git(bare, "cat-file", "-t", commit)).toBe("commit");
    expect(existsSync(proof)).toBe(false);
  });

  it("refuses borrowed objects and a git directory that leads out", async () => {
    const { git, dir, bare, checkout, collect } = await worked();
    const alternates = join(checkout.path, ".git", "objects", "info", "alternates");
    writeFileSync(alternates, `${dir("elsewhere")}\n`);
    await expect(collect()).rejects.toMatchObject({ code: "collect_refused" });
    rmSync(alternates);
    git(dir("work"), "clone", "-q", checkout.path, dir("moved", "x"));
    rmSync(join(checkout.path, ".git"), { recursive: true });
    symlinkSync(join(dir("moved", "x"), ".git"), join(checkout.path, ".git"));
    await expect(collect()).rejects.toMatchObject({ code: "collect_refused" });
    expect(git(bare, "for-each-ref", "refs/multica")).toBe("");
  });

  it("finds nothing in a checkout without the branch", async () => {
    const { git, checkout, collect } = await worked();
    git(checkout.path, "checkout", "-q", "--detach");
    git(checkout.path, "branch", "-q", "-D", checkout.branchName);
    expect(await collect()).toEqual([]);
  });
});
