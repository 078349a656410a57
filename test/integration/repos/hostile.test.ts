import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { createGit } from "../../../src/lib/repos/git.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_B, harness } from "./harness.ts";

async function worked() {
  const made = harness();
  const { git, dir, cache, request } = made;
  const remote = makeRemote(git, dir("remotes", "api"), "main", { "README.md": "x", ".gitattributes": "*.md filter=evil\n" });
  const { path: bare } = await cache.ensure("ws", remote);
  const { path } = await cache.checkout(request(remote));
  const proof = join(dir("proof"), "ran");
  return { ...made, remote, bare, path, proof, evil: `sh -c 'touch ${proof}; cat'` };
}

describe("an agent that writes git's configuration", () => {
  it("gets nothing executed by a later checkout from the same cache, and the removal is reported", async () => {
    const { cache, git, dir, request, remote, bare, path, proof, evil } = await worked();
    const keys = {
      "core.fsmonitor": evil,
      "core.sshCommand": evil,
      "core.gitProxy": evil,
      "core.alternateRefsCommand": evil,
      "core.hooksPath": join(bare, "hooks"),
      "filter.evil.smudge": evil,
      "filter.evil.clean": evil,
      "credential.helper": `!${evil}`,
      "remote.origin.uploadpack": evil,
      "protocol.ext.allow": "always",
      [`url.ext::${evil} .insteadOf`]: remote,
      "include.path": "/etc/passwd",
    };
    const lowered = Object.fromEntries(Object.keys(keys).map((key) => [key.toLowerCase(), true]));
    for (const [key, value] of Object.entries(keys)) git(path, "config", key, value);
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"]) {
      writeFileSync(join(bare, "hooks", hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    }
    rmSync(proof, { force: true });
    for (const mode of ["linked", "isolated"] as const) {
      const result = await cache.checkout(request(remote, { mode, workdir: dir("work", mode), taskId: TASK_B }));
      expect(readFileSync(join(result.path, "README.md"), "utf8")).toBe("x");
      expect(result.stale).toBe(false);
      const warned = result.warnings.join("\n");
      if (mode === "linked") for (const key of ["core.sshcommand", "filter.evil.smudge", "include.path", "remote.origin.uploadpack"]) expect(warned).toContain(key);
      else expect(warned).toBe("");
    }
    expect(existsSync(proof)).toBe(false);
    // Overridden for each of our commands, so they may stay: the agent's own git is not our business.
    const left = git(bare, "config", "--file", join(bare, "config"), "--name-only", "--list").split("\n").filter((key) => key.toLowerCase() in lowered);
    expect(left).toEqual(["core.fsmonitor", "core.hookspath"]);
  });

  it("keeps a local setup of git lfs", async () => {
    const { cache, git, dir, request, remote, path, bare } = await worked();
    git(path, "config", "filter.lfs.clean", "git-lfs clean -- %f");
    const result = await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    expect(result.warnings).toEqual([]);
    expect(git(bare, "config", "filter.lfs.clean")).toBe("git-lfs clean -- %f");
  });

  it("cannot send the daemon's fetch to another repository", async () => {
    const { cache, git, dir, request, remote, path } = await worked();
    const secret = makeRemote(git, dir("private", "keys"), "main", { "key.txt": "secret" });
    git(path, "config", "remote.origin.url", secret);
    const result = await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    expect(result.warnings.join()).toContain("origin of the repository cache pointed elsewhere");
    expect(existsSync(join(result.path, "README.md"))).toBe(true);
    expect(git(result.path, "config", "remote.origin.url")).toBe(remote);
  });

  it("cannot make the daemon fetch over its checked-out branches", async () => {
    const { cache, git, dir, request, remote, path, bare } = await worked();
    git(path, "config", "--add", "remote.origin.fetch", "+refs/heads/main:refs/heads/agent/my-agent/0000000000aa");
    const own = commitFiles(git, path, { "own.txt": "1" });
    await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    expect(git(bare, "config", "--get-all", "remote.origin.fetch")).toBe("+refs/heads/*:refs/remotes/origin/*");
    expect(git(path, "rev-parse", "HEAD")).toBe(own);
  });

  it("cannot put a link in place of the configuration or of the exclude file", async () => {
    const { cache, dir, request, remote, bare } = await worked();
    const secret = join(dir("private"), "secret.txt");
    writeFileSync(secret, "secret\n");
    rmSync(join(bare, "info", "exclude"));
    symlinkSync(secret, join(bare, "info", "exclude"));
    await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    expect(readFileSync(secret, "utf8")).toBe("secret\n");
    rmSync(join(bare, "config"));
    symlinkSync(secret, join(bare, "config"));
    await expect(cache.checkout(request(remote, { workdir: dir("third") }))).rejects.toMatchObject({ code: "repo_damaged" });
  });
});

describe("an agent that writes into its checkout's place", () => {
  it("cannot pass a checkout of its own making off as ours", async () => {
    const { cache, git, dir, request, remote, bare } = await worked();
    const other = dir("other");
    git(dir("other"), "init", "-q", join(other, "api"));
    await expect(cache.checkout(request(remote, { workdir: other }))).rejects.toMatchObject({ code: "path_taken" });
    rmSync(join(other, "api", ".git"), { recursive: true });
    const registration = readdirSync(join(bare, "worktrees"))[0] ?? "";
    writeFileSync(join(other, "api", ".git"), `gitdir: ${join(bare, "worktrees", registration)}\n`);
    await expect(cache.checkout(request(remote, { workdir: other }))).rejects.toMatchObject({ code: "path_taken" });
  });
});

describe("hostile words in a request", () => {
  it.each([
    ["--upload-pack=touch x", "begins with a dash"],
    ["ext::sh -c touch% x", "transport helper"],
    ["https://h/o/r\n--x", "control character"],
    ["https://h/o/r%0a--x", "control character"],
    ["ssh://-oProxyCommand=x/r", "host begins with a dash"],
    ["http://user:hunter22@-h/r", "host begins with a dash"],
    ["fd::17", "transport helper"],
    ["", "it is empty"],
  ])("URL %j is refused with the reason, and no secret is shown", async (url, why) => {
    const { cache, root } = harness();
    const error = await cache.ensure("ws", url).then(() => undefined, (reason: unknown) => reason);
    expect(error).toMatchObject({ code: "repo_url_refused", exit: 5 });
    expect(String(error)).toContain(why);
    expect(String(error)).not.toContain("hunter22");
    expect(existsSync(join(root, ".repos"))).toBe(false);
  });

  it("workspace ids and names never leave their directory", async () => {
    const { cache, git, dir, request } = harness();
    for (const id of ["../x", "..", ".", "a/b", "x\n", ""]) {
      expect(() => cache.cachePath(id, "https://h/o/r")).toThrow(expect.objectContaining({ code: "bad_workspace_id" }));
    }
    const remote = makeRemote(git, dir("remotes", "deep"));
    git(dir("remotes"), "clone", "-q", "--bare", remote, join(dir("remotes"), ".git"));
    const url = `${dir("remotes")}/.git`;
    await cache.ensure("ws", url);
    const { path } = await cache.checkout(request(url));
    expect(dirname(path)).toBe(dir("work"));
    expect(basename(path)).not.toMatch(/^\.git$|^\.\.?$/);
  });
});

describe("a later task in a checkout that an agent prepared", () => {
  it.each(["linked", "isolated"] as const)("runs nothing of its configuration, hooks or filters (%s)", async (mode) => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"), "main", { "README.md": "x" });
    const { path: bare } = await cache.ensure("ws", remote);
    const { path } = await cache.checkout(request(remote, { mode }));
    const proof = join(dir("proof"), "ran");
    const evil = `sh -c 'touch ${proof}; cat'`;
    writeFileSync(join(path, ".gitattributes"), "* filter=evil diff=evil\n");
    for (const key of ["core.fsmonitor", "core.sshCommand", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.command", "diff.external", "core.alternateRefsCommand", "gpg.program", "core.askpass"]) git(path, "config", key, evil);
    git(path, "config", "commit.gpgSign", "true");
    git(path, "config", "core.hooksPath", join(path, "hooks"));
    const common = mode === "linked" ? bare : join(path, ".git");
    for (const hooks of [join(path, "hooks"), join(common, "hooks")]) {
      for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "pre-rebase", "prepare-commit-msg"]) {
        mkdirSync(hooks, { recursive: true });
        writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
      }
    }
    // A repository inside with a configuration of its own: nobody may ask it anything.
    makeRemote(git, join(path, "inner"));
    git(join(path, "inner"), "config", "core.fsmonitor", evil);
    rmSync(proof, { force: true });
    const result = await cache.checkout(request(remote, { mode, taskId: TASK_B }));
    expect(existsSync(proof)).toBe(false);
    expect(result.rescued?.files).toBeGreaterThan(0);
    expect(result.warnings.join()).toContain("filter.evil.clean");
  });

  it("cannot have our git work elsewhere by a .git file or a commondir that lead there", async () => {
    const { cache, git, dir, request } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const { path: bare } = await cache.ensure("ws", remote);
    const victim = makeRemote(git, dir("victim"));
    const before = [git(victim, "for-each-ref"), readFileSync(join(victim, ".git", "config"), "utf8")];
    const { path } = await cache.checkout(request(remote));
    writeFileSync(join(bare, "worktrees", "api", "commondir"), `${join(victim, ".git")}\n`);
    writeFileSync(join(path, "README.md"), "edited\n");
    expect((await cache.checkout(request(remote, { taskId: TASK_B }))).warnings.join()).toContain("names another repository");
    rmSync(path, { recursive: true });
    mkdirSync(path);
    writeFileSync(join(path, ".git"), `gitdir: ${join(victim, ".git")}\n`);
    await expect(cache.checkout(request(remote, { taskId: "c-00000000000c" }))).rejects.toMatchObject({ code: "path_taken" });
    expect([git(victim, "for-each-ref"), readFileSync(join(victim, ".git", "config"), "utf8")]).toEqual(before);
  });
});

describe("git itself", () => {
  it("never works on a repository around the one that is meant", async () => {
    const { git, dir } = harness();
    const outer = makeRemote(git, dir("outer"));
    const runner = createGit({ env: git.env, clock: systemClock });
    const inner = dir("outer", "caches", "x.git");
    const answers = [await runner.ask({ args: ["rev-parse", "--git-dir"], cwd: inner }), await runner.run({ args: ["rev-parse", "--git-dir"], cwd: inner, gitDir: inner })];
    expect(answers.map((answer) => answer.code)).toEqual([128, 128]);
    expect(existsSync(join(outer, ".git"))).toBe(true);
  });

  it("ends near its limit with a text that names the timeout", async () => {
    const { git, dir } = harness();
    const script = join(dir("ssh"), "ssh.sh");
    writeFileSync(script, "#!/bin/sh\nsleep 300 & sleep 300\n", { mode: 0o755 });
    const runner = createGit({ env: { ...git.env, GIT_SSH_COMMAND: script, GIT_SSH_VARIANT: "simple" }, clock: systemClock });
    const started = performance.now();
    await expect(runner.run({ args: ["ls-remote", "ssh://host/x"], cwd: dir("work"), timeoutMs: 300 })).rejects.toMatchObject({
      code: "git_timeout",
      message: "git command timed out after 300ms",
    });
    expect(performance.now() - started).toBeLessThan(5000);
    const names = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && cmdline(pid).includes(script));
    expect(names).toEqual([]);
  });

  it("gives the exit code of a question as an answer, with and without text", async () => {
    const { git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const runner = createGit({ env: git.env, clock: systemClock });
    const call = { cwd: remote, gitDir: join(remote, ".git") };
    expect((await runner.ask({ ...call, args: ["rev-parse", "--verify", "--quiet", "nothing"] })).code).toBe(1);
    expect(await runner.ask({ ...call, args: ["config", "--get", "no.such"] })).toEqual({ code: 1, stdout: "", stderr: "" });
    expect((await runner.ask({ ...call, args: ["rev-parse", "nothing"] })).stderr).toContain("unknown revision");
  });

  it("removes a lock file in a cache that the dead left long ago, and no younger one", async () => {
    const { cache, git, dir, request, remote, bare } = await worked();
    const locks = ["packed-refs.lock", "config.lock", join("refs", "remotes", "origin", "new.lock")].map((name) => join(bare, name));
    git(remote, "branch", "new");
    git(bare, "config", "--add", "remote.origin.fetch", "+refs/heads/x:refs/heads/y");
    for (const lock of locks) {
      writeFileSync(lock, "");
      utimesSync(lock, new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
    }
    const held = join(bare, "worktrees", "api", "index.lock");
    writeFileSync(held, "");
    utimesSync(held, new Date(0), new Date(0));
    const result = await cache.checkout(request(remote, { workdir: dir("second"), taskId: TASK_B }));
    expect(result.stale).toBe(false);
    expect(git(bare, "rev-parse", "refs/remotes/origin/new")).toBe(git(remote, "rev-parse", "new"));
    expect(existsSync(held)).toBe(true);
    writeFileSync(join(bare, "refs", "remotes", "origin", "other.lock"), "");
    git(remote, "branch", "other");
    expect((await cache.checkout(request(remote, { workdir: dir("third"), taskId: "third" }))).stale).toBe(true);
    expect(existsSync(join(bare, "refs", "remotes", "origin", "other.lock"))).toBe(true);
  }, 60_000);

  it("waits for a lock file that another git holds for a moment", async () => {
    const { git, dir } = harness();
    const remote = makeRemote(git, dir("remotes", "api"));
    const lock = join(remote, ".git", "refs", "heads", "new.lock");
    writeFileSync(lock, "");
    const runner = createGit({ env: git.env, clock: { ...systemClock, sleep: async (ms, signal) => (rmSync(lock, { force: true }), systemClock.sleep(Math.min(ms, 10), signal)) } });
    const answer = await runner.run({ args: ["update-ref", "refs/heads/new", "HEAD"], cwd: remote, gitDir: join(remote, ".git") });
    expect(answer.code).toBe(0);
  });
});

function cmdline(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
