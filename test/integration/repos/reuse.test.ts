import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CheckoutMode, CheckoutRequest } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_B, harness } from "./harness.ts";

/** A checkout of the first task, and how the second one asks. */
async function handedOver(mode: CheckoutMode, files: Record<string, string> = { "README.md": "hello\n", ".gitignore": "ignored/\n" }) {
  const made = harness();
  const { git, dir, cache, request } = made;
  const remote = makeRemote(git, dir("remotes", "api"), "main", files);
  const { path: bare } = await cache.ensure("ws", remote);
  const first = await cache.checkout(request(remote, { mode }));
  const second = (patch: Partial<CheckoutRequest> = {}) => cache.checkout(request(remote, { mode, taskId: TASK_B, ...patch }));
  const rescues = (): string[] => git(bare, "for-each-ref", "--format=%(refname)", "refs/multica/rescue").split("\n").filter((line) => line !== "");
  const show = (ref: string, file: string): string => git(bare, "cat-file", "blob", `${ref}:${file}`);
  return { ...made, remote, bare, first, path: first.path, second, rescues, show };
}

describe.each(["linked", "isolated"] as const)("a %s checkout that a second task finds", (mode) => {
  it("starts at the newest commit on a branch of its own, and earlier edits are in a rescue ref", async () => {
    const { git, remote, path, first, second, rescues, show } = await handedOver(mode);
    writeFileSync(join(path, "README.md"), "edited\n");
    writeFileSync(join(path, "new.txt"), "untracked\n");
    writeFileSync(join(path, "staged.txt"), "staged\n");
    git(path, "add", "staged.txt");
    writeFileSync(join(path, "staged.txt"), "staged, then edited\n");
    mkdirSync(join(path, "ignored"));
    writeFileSync(join(path, "ignored", "x"), "build output");
    const newest = commitFiles(git, remote, { "README.md": "newer\n" });
    const result = await second();
    expect(result).toMatchObject({ path, reused: false, branchName: "agent/my-agent/0000000000bb", baseCommit: newest });
    expect(git(path, "rev-parse", "HEAD")).toBe(newest);
    expect(git(path, "status", "--porcelain")).toBe("");
    expect(readFileSync(join(path, "ignored", "x"), "utf8")).toBe("build output");
    expect(rescues()).toEqual([result.rescued?.ref]);
    expect(result.rescued?.ref).toMatch(/^refs\/multica\/rescue\/0000000000aa\/\d{10}$/);
    expect(result.rescued?.files).toBe(3);
    const ref = result.rescued?.ref ?? "";
    expect([show(ref, "README.md"), show(ref, "new.txt"), show(ref, "staged.txt")]).toEqual(["edited", "untracked", "staged, then edited"]);
    expect(show(`${ref}^2`, "staged.txt")).toBe("staged");
    expect(first.branchName).toBe("agent/my-agent/0000000000aa");
  });

  it("leaves no rescue ref when there was nothing to save", async () => {
    const { second, rescues } = await handedOver(mode);
    expect((await second()).rescued).toBeUndefined();
    expect(rescues()).toEqual([]);
  });

  it("is out of a rebase that stopped in the middle, and its commits are kept", async () => {
    const { git, path, second, rescues, bare } = await handedOver(mode);
    commitFiles(git, path, { "README.md": "mine\n" });
    git(path, "branch", "-q", "other", "HEAD~1");
    git(path, "checkout", "-q", "other");
    commitFiles(git, path, { "a.txt": "1" });
    const lost = commitFiles(git, path, { "README.md": "theirs\n" });
    expect(() => git(path, "rebase", "agent/my-agent/0000000000aa")).toThrow();
    const detached = git(path, "rev-parse", "HEAD");
    await second();
    expect(git(path, "status")).not.toContain("rebase");
    expect(git(path, "status", "--porcelain")).toBe("");
    const kept = rescues()[0] ?? "";
    expect(git(bare, "merge-base", "--is-ancestor", detached, kept)).toBe("");
    expect(git(path, "cat-file", "-t", lost)).toBe("commit");
  });

  it("keeps the commits of a detached HEAD", async () => {
    const { git, path, second, rescues, bare } = await handedOver(mode);
    git(path, "checkout", "-q", "--detach");
    const lost = commitFiles(git, path, { "a.txt": "1" });
    await second();
    expect(rescues().map((ref) => git(bare, "rev-parse", ref))).toEqual([lost]);
  });

  it("saves names and bytes that git's text handling would change", async () => {
    const { git, path, second, bare } = await handedOver(mode, { "a.txt": "1\n", ".gitattributes": "*.txt text eol=lf\n*.id ident\n*.u16 working-tree-encoding=UTF-16\n" });
    const files: Record<string, Buffer> = {
      "mixed.txt": Buffer.from("one\r\ntwo\nthree\r\n"),
      "x.id": Buffer.from("$Id: abc$\n"),
      "bad.u16": Buffer.from("not utf-16\n"),
      "ünï \"q\"\n.bin": Buffer.from([0, 255, 13, 10]),
      " lead": Buffer.from("x"),
      "-rf": Buffer.from("x"),
    };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
    symlinkSync("nowhere", join(path, "link"));
    const result = await second();
    const out = join(path, "..", "out");
    mkdirSync(out);
    const { execFileSync } = await import("node:child_process");
    for (const [name, bytes] of Object.entries(files)) {
      expect(execFileSync("git", ["--git-dir", bare, "cat-file", "blob", `${result.rescued?.ref ?? ""}:${name}`], { env: git.env })).toEqual(bytes);
      expect(existsSync(join(path, name))).toBe(false);
    }
    expect(git(bare, "cat-file", "blob", `${result.rescued?.ref ?? ""}:link`)).toBe("nowhere");
  });

  it("saves files that git was told to overlook", async () => {
    const { git, path, second, show } = await handedOver(mode, { "a.txt": "1\n", "b.txt": "1\n" });
    git(path, "update-index", "--assume-unchanged", "a.txt");
    git(path, "update-index", "--skip-worktree", "b.txt");
    writeFileSync(join(path, "a.txt"), "edited a");
    writeFileSync(join(path, "b.txt"), "edited b");
    const ref = (await second()).rescued?.ref ?? "";
    expect([show(ref, "a.txt"), show(ref, "b.txt")]).toEqual(["edited a", "edited b"]);
    expect([readFileSync(join(path, "a.txt"), "utf8"), readFileSync(join(path, "b.txt"), "utf8")]).toEqual(["1\n", "1\n"]);
  });

  it("leaves repositories inside it where they are", async () => {
    const { git, path, second } = await handedOver(mode);
    makeRemote(git, join(path, "inner"));
    mkdirSync(join(path, "empty"));
    git(join(path, "empty"), "init", "-q");
    writeFileSync(join(path, "empty", "x.txt"), "x");
    writeFileSync(join(path, "README.md"), "edited\n");
    const result = await second();
    expect(result.rescued?.files).toBe(1);
    expect(existsSync(join(path, "inner", "README.md")) && existsSync(join(path, "empty", "x.txt"))).toBe(true);
  });

  it("saves a file that became a directory, and a deletion", async () => {
    const { git, path, second, show, bare } = await handedOver(mode, { "a.txt": "1\n", "b.txt": "1\n" });
    rmSync(join(path, "a.txt"));
    mkdirSync(join(path, "a.txt"));
    writeFileSync(join(path, "a.txt", "inner"), "x");
    rmSync(join(path, "b.txt"));
    const ref = (await second()).rescued?.ref ?? "";
    expect(show(ref, "a.txt/inner")).toBe("x");
    expect(git(bare, "ls-tree", "--name-only", ref)).toBe("a.txt");
  });

  it("goes on although the dead left a lock on its index", async () => {
    const { path, second, bare } = await handedOver(mode);
    writeFileSync(join(path, "README.md"), "edited\n");
    const lock = mode === "linked" ? join(bare, "worktrees", "api", "index.lock") : join(path, ".git", "index.lock");
    writeFileSync(lock, "");
    utimesSync(lock, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    expect((await second()).rescued?.files).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it("stays as it is when its work cannot be saved", async () => {
    const { path, second, bare, rescues } = await handedOver(mode);
    writeFileSync(join(path, "README.md"), "edited\n");
    mkdirSync(join(bare, "refs", "multica"), { recursive: true });
    writeFileSync(join(bare, "refs", "multica", "rescue"), "in the way");
    await expect(second()).rejects.toMatchObject({ code: "rescue_failed", message: expect.stringContaining(`cannot save uncommitted work in ${path}: `) as string });
    expect(readFileSync(join(path, "README.md"), "utf8")).toBe("edited\n");
    expect(rescues()).toEqual([]);
  });

  it("is set aside, whole, when git cannot read it", async () => {
    const { path, second, dir, bare } = await handedOver(mode);
    writeFileSync(join(path, "README.md"), "edited\n");
    const gitDir = mode === "linked" ? join(bare, "worktrees", "api") : join(path, ".git");
    writeFileSync(join(gitDir, "HEAD"), `${"1".repeat(40)}\n`);
    const result = await second();
    expect(result.warnings.join()).toContain("was moved to");
    const aside = readdirSync(dir("work")).find((name) => name.startsWith("api.broken-")) ?? "";
    expect(readFileSync(join(dir("work"), aside, "README.md"), "utf8")).toBe("edited\n");
    expect(readFileSync(join(path, "README.md"), "utf8")).toBe("hello\n");
  });
});

describe.each(["linked", "isolated"] as const)("a %s checkout that its own task asks for again", (mode) => {
  it("is left alone with edits, with commits, in a merge and on another branch", async () => {
    const { git, path, second, remote, rescues } = await handedOver(mode);
    const own = await second();
    const again = async (): Promise<void> => {
      const before = [git(path, "rev-parse", "HEAD"), git(path, "status", "--porcelain"), git(path, "stash", "list")];
      expect(await second()).toMatchObject({ path, reused: true });
      expect([git(path, "rev-parse", "HEAD"), git(path, "status", "--porcelain"), git(path, "stash", "list")]).toEqual(before);
    };
    writeFileSync(join(path, "README.md"), "edited\n");
    await again();
    commitFiles(git, path, { "mine.txt": "1" });
    await again();
    git(path, "checkout", "-q", "-b", "feature", "origin/main");
    await again();
    commitFiles(git, path, { "mine.txt": "2" });
    expect(() => git(path, "merge", own.branchName)).toThrow();
    await again();
    commitFiles(git, remote, { "x.txt": "1" });
    await again();
    expect(git(path, "rev-parse", "origin/main")).toBe(git(remote, "rev-parse", "main"));
    expect(rescues()).toEqual([]);
  });

  it("moves forward on its branch when nothing was done in it", async () => {
    const { git, path, remote, second } = await handedOver(mode);
    const own = await second();
    const newest = commitFiles(git, remote, { "x.txt": "1" });
    expect(await second()).toMatchObject({ branchName: own.branchName, baseCommit: newest, reused: false });
    expect(git(path, "rev-parse", "HEAD")).toBe(newest);
  });

  it("repeats a request with a revision without losing anything, and goes to another one when asked", async () => {
    const { git, path, remote, second, rescues } = await handedOver(mode);
    git(remote, "branch", "develop");
    await second({ ref: "develop" });
    writeFileSync(join(path, "README.md"), "edited\n");
    expect((await second({ ref: "develop" })).reused).toBe(true);
    expect((await second({ ref: "main", refImplied: true })).reused).toBe(true);
    expect(rescues()).toEqual([]);
    const moved = await second({ ref: "main" });
    expect(moved).toMatchObject({ reused: false, rescued: { files: 1 } });
    expect(git(path, "status", "--porcelain")).toBe("");
  });
});

describe("an isolated checkout that a second task finds", () => {
  it("loses old agent branches, with unpushed ones saved, and keeps what is the user's", async () => {
    const { git, path, first, second, remote, rescues, bare } = await handedOver("isolated");
    const lost = commitFiles(git, path, { "a.txt": "1" });
    git(path, "branch", "feature/keep-me");
    git(path, "branch", "agent/my-agent/pushed", "origin/main");
    git(path, "tag", "own-tag");
    git(remote, "branch", "gone");
    await second();
    expect(git(path, "branch", "-r")).toContain("origin/gone");
    git(remote, "branch", "-D", "gone");
    await second({ taskId: "third-0000-0000-0000-00000000cccc" });
    expect(git(path, "for-each-ref", "--format=%(refname:short)", "refs/heads").split("\n")).toEqual(["agent/my-agent/00000000cccc", "feature/keep-me"]);
    expect(git(path, "branch", "-r")).not.toContain("origin/gone");
    expect(git(path, "tag")).toBe("own-tag");
    expect(rescues()).toEqual([`refs/multica/rescue/branch/${first.branchName}`]);
    expect(git(bare, "rev-parse", rescues()[0] ?? "")).toBe(lost);
  });

  it("with a git directory that leads out is set aside", async () => {
    const { git, path, second, dir } = await handedOver("isolated");
    const victim = makeRemote(git, dir("victim"));
    rmSync(join(path, ".git", "refs"), { recursive: true });
    symlinkSync(join(victim, ".git", "refs"), join(path, ".git", "refs"));
    const before = git(victim, "for-each-ref");
    expect((await second()).warnings.join()).toContain("refs of its git directory is a link");
    expect(git(victim, "for-each-ref")).toBe(before);
  });
});

describe("a linked checkout where an isolated one is wanted", () => {
  it("is converted, its registration goes and its work is saved", async () => {
    const { git, path, second, bare, show } = await handedOver("linked");
    writeFileSync(join(path, "README.md"), "edited\n");
    const result = await second({ mode: "isolated" });
    expect(result).toMatchObject({ path, mode: "isolated", rescued: { files: 1 } });
    expect(lstatSync(join(path, ".git")).isDirectory()).toBe(true);
    expect(git(bare, "worktree", "list").split("\n")).toHaveLength(1);
    expect(show(result.rescued?.ref ?? "", "README.md")).toBe("edited");
  });

  it("stays when it has this task's own work", async () => {
    const { path, first, cache, request, remote } = await handedOver("linked");
    writeFileSync(join(path, "README.md"), "edited\n");
    const result = await cache.checkout(request(remote, { mode: "isolated" }));
    expect(result).toMatchObject({ mode: "linked", reused: true, branchName: first.branchName });
    expect(readFileSync(join(path, "README.md"), "utf8")).toBe("edited\n");
  });

  it("steps aside as a whole when there are repositories in it", async () => {
    const { git, path, second, dir } = await handedOver("linked");
    makeRemote(git, join(path, "inner"));
    await second({ mode: "isolated" });
    const aside = readdirSync(dir("work")).find((name) => name.startsWith("api.broken-")) ?? "";
    expect(existsSync(join(dir("work"), aside, "inner", "README.md"))).toBe(true);
  });
});

describe("a checkout whose making was cut off", () => {
  it("is made anew under the same branch; files that somebody wrote there meanwhile are saved", async () => {
    const { git, path, bare, first, cache, request, remote, rescues, show } = await handedOver("linked");
    const registration = join(bare, "worktrees", "api");
    writeFileSync(join(registration, "locked"), "initializing");
    rmSync(join(registration, "index"));
    rmSync(join(path, "README.md"));
    const quiet = await cache.checkout(request(remote));
    expect(quiet).toMatchObject({ branchName: first.branchName, reused: false });
    expect(rescues()).toEqual([]);
    writeFileSync(join(registration, "locked"), "initializing");
    rmSync(join(registration, "index"));
    writeFileSync(join(path, "mine.txt"), "mine");
    await cache.checkout(request(remote));
    expect(show(rescues()[0] ?? "", "mine.txt")).toBe("mine");
    expect(git(path, "status", "--porcelain")).toBe("");
  });

  it("does not block its branch when its directory is gone as well", async () => {
    const { path, bare, first, cache, request, remote } = await handedOver("linked");
    writeFileSync(join(bare, "worktrees", "api", "locked"), "initializing");
    rmSync(path, { recursive: true });
    expect((await cache.checkout(request(remote))).path).toBe(first.path);
    expect(readdirSync(join(bare, "worktrees"))).toEqual(["api"]);
  });
});

describe("the co-author hook", () => {
  const body = (git: ReturnType<typeof harness>["git"], path: string): string => git(path, "log", "-1", "--format=%B");
  const trailer = "Co-authored-by: multica-agent <github@multica.ai>";

  it.each(["linked", "isolated"] as const)("adds the trailer once in a %s checkout, never to a merge", async (mode) => {
    const { git, path, second } = await handedOver(mode);
    await second({ coAuthor: true });
    commitFiles(git, path, { "a.txt": "1" });
    expect(body(git, path).split(trailer)).toHaveLength(2);
    git(path, "commit", "-q", "--amend", "--no-edit");
    await second({ coAuthor: true });
    commitFiles(git, path, { "a.txt": "2" });
    expect(body(git, path).split(trailer)).toHaveLength(2);
    git(path, "checkout", "-q", "-b", "side", "HEAD~1");
    commitFiles(git, path, { "b.txt": "1" });
    git(path, "merge", "-q", "--no-edit", "-");
    expect(body(git, path)).not.toContain(trailer);
  });

  it("goes when it is switched off, the one of older releases too; a foreign one stays", async () => {
    const { second, bare } = await handedOver("linked");
    const hook = join(bare, "hooks", "prepare-commit-msg");
    // Nothing to take away is no error.
    expect((await second({ coAuthor: false })).warnings).toEqual([]);
    await second({ coAuthor: true });
    await second({ coAuthor: false });
    expect(existsSync(hook)).toBe(false);
    writeFileSync(hook, "#!/bin/sh\n# Installed by the Multica daemon.\n", { mode: 0o755 });
    await second({ coAuthor: false });
    expect(existsSync(hook)).toBe(false);
    writeFileSync(hook, "#!/bin/sh\necho mine\n", { mode: 0o755 });
    expect((await second({ coAuthor: true })).warnings.join()).toContain("hook of its own");
    await second({ coAuthor: false });
    expect(readFileSync(hook, "utf8")).toBe("#!/bin/sh\necho mine\n");
  });
});
