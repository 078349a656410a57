// Where the acceptance cases of the repository cache (repocache.md 20) are tested; file names without a directory are beside this one.
// 1, 3-6: test/unit/repos. 2: hostile ("ends near its limit"). 7-14: here. 15-22: base. 23-27, 31, 33-35: linked. 28-30: reuse.
// 32: here ("of one repository does not hold up another"). 36, 39-41, 43: isolated, partial. 37, 38: reuse, isolated.
// 42: test/integration/execenv/codex-home.test.ts. 45, 46: reuse. 47: test/unit/repos/commit-hook.test.ts. 48: linked, isolated. 49: hostile.
// 50, 51, 54: test/integration/daemon/local-port.test.ts. 52, 53, 60-63: test/integration/daemon/checkout-waits.test.ts.
// 55, 57-59: registry. 56, 74: test/integration/daemon/checkouts.test.ts. 64-68, 70, 71, 73: maintain, maintain-together; 71 registry too.
// 69: test/integration/daemon/task/repo-maintenance.test.ts. 72: linked. 75-78: test/integration/cli/cli.test.ts.
// Defects of the reference (19): same names: linked; uncommitted and unpushed work: reuse, maintain, salvage; repeats: reuse; stale code: linked,
// faults; cold clone and asked URL only: here, registry; locks: here, maintain-together; prune, upstream: here, linked; excludes: linked;
// agents' configuration: hostile; settings refresh: registry, checkout-waits.
// Without a test: 44 and the Windows half of 42, nothing is built for Windows (decision 2).
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock, tryFileLock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../../src/lib/repos/index.ts";
import { gatedSsh } from "../../support/gated-ssh.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { waitFor } from "../../support/wait.ts";
import { harness } from "./harness.ts";

function gated() {
  const made = harness();
  const ssh = gatedSsh(made.dir("ssh"));
  const env = { ...made.git.env, ...ssh.env };
  const cache = createRepoCache({ root: made.root, clock: systemClock, logger: silentLogger, env });
  onTestFinished(() => cache.close());
  const remote = makeRemote(made.git, made.dir("remotes", "api"));
  return { ...made, cache, env, ssh, remote, url: `ssh://host${remote}` };
}

function worker(root: string, url: string, env: Record<string, string>) {
  const script = join(import.meta.dirname, "clone-worker.ts");
  const child = spawn(process.execPath, [script, root, url], { env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const done = new Promise<{ code: number | null; out: string }>((resolve) => child.once("close", (code) => resolve({ code, out })));
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, done };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Processes that name this path in their arguments. */
function processesOf(path: string): string[] {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(path));
}

const leftovers = (bare: string): string[] => readdirSync(dirname(bare)).filter((name) => name.includes(".tmp-"));

describe("ensure", () => {
  it("clones once, moves the branches to origin/* and knows the default branch", async () => {
    const { cache, git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"), "trunk");
    git(remote, "branch", "feat");
    git(remote, "branch", "agent/x/1");
    const { path, cloned } = await cache.ensure("ws", remote);
    expect(cloned).toBe(true);
    expect(path).toBe(cache.cachePath("ws", remote));
    expect(await cache.ensure("ws", remote)).toEqual({ path, cloned: false });
    expect(git(path, "for-each-ref", "--format=%(refname)").split("\n").sort()).toEqual([
      "refs/heads/trunk",
      "refs/remotes/origin/HEAD",
      "refs/remotes/origin/agent/x/1",
      "refs/remotes/origin/feat",
      "refs/remotes/origin/trunk",
    ]);
    expect(git(path, "config", "--get-all", "remote.origin.fetch")).toBe("+refs/heads/*:refs/remotes/origin/*");
    expect(git(path, "symbolic-ref", "refs/remotes/origin/HEAD")).toBe("refs/remotes/origin/trunk");
    expect(leftovers(path)).toEqual([]);
  });

  it("keeps two owners' repositories of one name apart, and two workspaces as well", async () => {
    const { cache, git, dir } = harness();
    const a = makeRemote(git, dir("org-a", "api"), "main", { "who.txt": "a" });
    const b = makeRemote(git, dir("org-b", "api"), "main", { "who.txt": "b" });
    const paths = [await cache.ensure("ws", a), await cache.ensure("ws", b), await cache.ensure("ws2", a)].map((result) => result.path);
    expect(new Set(paths).size).toBe(3);
    expect(paths.map((path) => git(path, "show", "HEAD:who.txt"))).toEqual(["a", "b", "a"]);
  });

  it("leaves nothing of a clone that fails and tells no password", async () => {
    const { cache, dir } = harness();
    const url = `file://user:hunter22@localhost${join(dir("remotes"), "missing")}`;
    const failure = await cache.ensure("ws", url).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: "git_failed" });
    expect(String(failure)).toContain("git clone --bare: ");
    expect(String(failure)).not.toContain("hunter22");
    expect(existsSync(cache.cachePath("ws", url))).toBe(false);
    expect(leftovers(cache.cachePath("ws", url))).toEqual([]);
  });

  it("clones anew where something half deleted bears the name", async () => {
    const { cache, git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const bare = cache.cachePath("ws", remote);
    mkdirSync(bare, { recursive: true });
    writeFileSync(join(bare, "HEAD"), "ref: refs/heads/main\n");
    expect(await cache.ensure("ws", remote)).toEqual({ path: bare, cloned: true });
    expect(git(bare, "rev-parse", "refs/remotes/origin/main")).toBe(git(remote, "rev-parse", "main"));
  });

  it("sets a cache aside that lost its HEAD but has objects: there may be work in it", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const { path } = await cache.checkout(request(remote));
    const commit = commitFiles(git, path, { "own.txt": "1" });
    rmSync(join(bare, "HEAD"));
    expect((await cache.ensure("ws", remote)).cloned).toBe(true);
    const aside = readdirSync(dirname(bare)).find((name) => name.includes(".broken-")) ?? "";
    writeFileSync(join(dirname(bare), aside, "HEAD"), "ref: refs/heads/main\n");
    expect(git(join(dirname(bare), aside), "cat-file", "-t", commit)).toBe("commit");
  });

  it("shares one clone among all who wait; one who leaves ends only his own wait", async () => {
    const { cache, ssh, url } = gated();
    const leaving = new AbortController();
    const stages: string[] = [];
    const first = cache.ensure("ws", url, { signal: leaving.signal });
    const second = cache.ensure("ws", url, { onProgress: (progress) => stages.push(progress.stage) });
    const third = cache.ensure("ws", url);
    await waitFor("the clone to start", () => ssh.calls() === 1);
    leaving.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    ssh.open();
    expect((await Promise.all([second, third])).map((result) => result.cloned)).toEqual([true, true]);
    expect(ssh.calls()).toBe(1);
    expect(stages).toContain("Receiving objects");
  });

  it("ends the clone with its whole process tree when the cache closes", async () => {
    const { cache, ssh, url, root } = gated();
    const pending = cache.ensure("ws", url).catch((error: unknown) => error as Error);
    await waitFor("the clone to start", () => ssh.calls() === 1);
    await cache.close();
    expect(String(await pending)).toContain("closing");
    expect(leftovers(cache.cachePath("ws", url))).toEqual([]);
    expect(processesOf(root)).toEqual([]);
  });

  it("clones once when several processes want it at the same time", async () => {
    const { ssh, url, root, env } = gated();
    const workers = [worker(root, url, env), worker(root, url, env), worker(root, url, env)];
    await waitFor("a clone to start", () => ssh.calls() === 1);
    ssh.open();
    const outcomes = (await Promise.all(workers.map((item) => item.done))).map((result) => JSON.parse(result.out) as { cloned: boolean });
    expect(outcomes.filter((outcome) => outcome.cloned)).toHaveLength(1);
    expect(ssh.calls()).toBe(1);
  });

  it("clones anew, and cleans up, after a process was killed in the middle of a clone", async () => {
    const { cache, ssh, url, root, env, git } = gated();
    const victim = worker(root, url, env);
    await waitFor("the clone to start", () => ssh.calls() === 1);
    const bare = cache.cachePath("ws", url);
    await waitFor("the temporary clone", () => leftovers(bare).length === 1);
    expect(tryFileLock(`${bare}.lock`)).toBeNull();
    victim.child.kill("SIGKILL");
    await victim.done;
    expect(existsSync(bare)).toBe(false);
    ssh.open();
    expect((await cache.ensure("ws", url)).cloned).toBe(true);
    expect(git(bare, "rev-parse", "HEAD")).toMatch(/^[0-9a-f]{40}$/);
    await waitFor("only the repository and its lock", () => leftovers(bare).length === 0);
  });

  it("fails for git that is not there with the next step", async () => {
    const { dir, root } = harness();
    const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env: { PATH: dir("empty") } });
    await expect(cache.ensure("ws", "/srv/x.git")).rejects.toMatchObject({ code: "git_missing" });
  });
});

describe("sync", () => {
  it("goes on after a bad URL, caches the others and answers with the first error", async () => {
    const { cache, git, dir } = harness();
    const a = makeRemote(git, dir("remotes", "a"));
    const b = makeRemote(git, dir("remotes", "b"));
    const { failure } = await cache.sync("ws", [a, join(dir("remotes"), "missing"), "ext::sh -c x", b, ""]);
    expect(failure).toMatchObject({ code: "git_failed" });
    expect([a, b].map((url) => cache.isCached("ws", url))).toEqual([true, true]);
  });

  it("fetches what is cached: new commits, vanished branches, a renamed default branch", async () => {
    const { cache, git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"), "master");
    git(remote, "branch", "foo");
    const { path } = await cache.ensure("ws", remote);
    git(remote, "branch", "-D", "foo");
    git(remote, "branch", "foo/bar");
    git(remote, "branch", "-m", "master", "main");
    const commit = commitFiles(git, remote, { "x.txt": "1" });
    expect(await cache.sync("ws", [remote])).toEqual({});
    expect(git(path, "symbolic-ref", "refs/remotes/origin/HEAD")).toBe("refs/remotes/origin/main");
    expect(git(path, "rev-parse", "refs/remotes/origin/main")).toBe(commit);
    expect(git(path, "for-each-ref", "--format=%(refname)", "refs/remotes/origin/foo", "refs/remotes/origin/master")).toBe("refs/remotes/origin/foo/bar");
  });

  it("brings the snapshot of the default branch up to date, unless there is work on it", async () => {
    const { cache, git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path } = await cache.ensure("ws", remote);
    const second = commitFiles(git, remote, { "x.txt": "2" });
    await cache.sync("ws", [remote]);
    expect(git(path, "rev-parse", "refs/heads/main")).toBe(second);
    const own = git(path, "commit-tree", "-p", second, "-m", "own", `${second}^{tree}`);
    git(path, "update-ref", "refs/heads/main", own);
    commitFiles(git, remote, { "x.txt": "3" });
    await cache.sync("ws", [remote]);
    expect(git(path, "rev-parse", "refs/heads/main")).toBe(own);
  });

  it("turns a mirror-style cache into a modern one, once", async () => {
    const { cache, git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const bare = cache.cachePath("ws", remote);
    mkdirSync(dirname(bare), { recursive: true });
    git(dirname(bare), "clone", "-q", "--mirror", remote, bare);
    await cache.sync("ws", [remote]);
    const config = git(bare, "config", "--get-all", "remote.origin.fetch");
    expect(config).toBe("+refs/heads/*:refs/remotes/origin/*");
    expect(git(bare, "symbolic-ref", "refs/remotes/origin/HEAD")).toBe("refs/remotes/origin/main");
    const before = git(bare, "for-each-ref");
    await cache.sync("ws", [remote]);
    expect(git(bare, "for-each-ref")).toBe(before);
  });

  it("fetches although a checkout sits on a branch the remote has too", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    git(remote, "branch", "agent/my-agent/0000000000aa");
    await cache.ensure("ws", remote);
    await cache.checkout(request(remote));
    const commit = commitFiles(git, remote, { "x.txt": "1" });
    expect(await cache.sync("ws", [remote])).toEqual({});
    expect(git(cache.cachePath("ws", remote), "rev-parse", "refs/remotes/origin/main")).toBe(commit);
  });
});

describe("the lock of a repository", () => {
  it("held by another process makes a limited wait end as busy and leaves nothing", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const held = tryFileLock(`${bare}.lock`);
    await expect(cache.checkout(request(remote, { busyAfterMs: 150 }))).rejects.toMatchObject({ code: "repo_busy", exit: 7 });
    expect(readdirSync(dir("work"))).toEqual([]);
    held?.release();
    expect((await cache.checkout(request(remote, { busyAfterMs: 5000 }))).reused).toBe(false);
  });

  it("wait that is aborted makes no checkout later", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const held = tryFileLock(`${bare}.lock`);
    const gone = new AbortController();
    const pending = cache.checkout(request(remote, { signal: gone.signal }));
    const behind = cache.checkout(request(remote, { workdir: dir("second") }));
    gone.abort(new Error("client went away"));
    await expect(pending).rejects.toThrow("client went away");
    held?.release();
    expect((await behind).reused).toBe(false);
    expect(readdirSync(dir("work"))).toEqual([]);
  });

  it("of one repository does not hold up another", async () => {
    const { cache, git, dir, request } = harness();
    const a = makeRemote(git, dir("remotes", "a"));
    const b = makeRemote(git, dir("remotes", "b"));
    await cache.sync("ws", [a, b]);
    const held = tryFileLock(`${cache.cachePath("ws", a)}.lock`);
    const blocked = cache.checkout(request(a));
    expect((await cache.checkout(request(b))).reused).toBe(false);
    held?.release();
    await blocked;
  });
});

describe("a checkout that is stopped", () => {
  it("ends git with everything it started", async () => {
    const { cache, ssh, url, request, dir, root } = gated();
    ssh.open();
    await cache.ensure("ws", url);
    rmSync(join(dir("ssh"), "gate"));
    const stop = new AbortController();
    const pending = cache.checkout(request(url, { signal: stop.signal }));
    await waitFor("the fetch to stand still", () => ssh.calls() === 2);
    stop.abort(new Error("task cancelled"));
    await expect(pending).rejects.toThrow("task cancelled");
    expect(processesOf(root)).toEqual([]);
    expect(readdirSync(dir("work"))).toEqual([]);
  });
});
