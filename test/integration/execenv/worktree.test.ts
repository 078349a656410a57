// execenv.md 18, case 47.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PrepareInput, endLocalWork, prepareEnvironment, writeBrief } from "../../../src/lib/execenv/index.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { machine, prepareInput, put } from "../../support/execenv.ts";
import { taskId } from "../../support/execenv-world.ts";
import { type TestGit, commitFiles, makeRemote, testGit } from "../../support/git.ts";
import { LOCAL_SKILLS, picture } from "../../support/local-tasks.ts";
import { tempDir } from "../../support/temp.ts";

interface World {
  readonly git: TestGit;
  readonly repo: string;
  input(tail: string, directory?: string): PrepareInput;
  end(root: string): ReturnType<typeof endLocalWork>;
}

function world(): World {
  const place = machine();
  const git = testGit();
  const repo = makeRemote(git, join(tempDir("multica-user-"), "project"), "main", { "README.md": "hello\n", "app/main.txt": "one\n", ".gitignore": "ignored/\n" });
  const host = { env: git.env, home: place.home, platform: "linux" as const };
  return {
    git,
    repo,
    input: (tail, directory = repo) =>
      prepareInput(place, taskId(tail), { provider: "claude", host, localWorkDir: directory, worktree: { clock: systemClock }, task: { skills: LOCAL_SKILLS } }),
    end: (root) => endLocalWork(root, { env: git.env, clock: systemClock }),
  };
}

/** What the user has: files, index, branch; not the object store and the new branch. */
function user({ git, repo }: World): unknown {
  const files = Object.entries(picture(repo)).filter(([path]) => !path.includes("/.git"));
  return { files, status: git(repo, "status", "--porcelain"), head: git(repo, "symbolic-ref", "HEAD"), at: git(repo, "rev-parse", "HEAD"), staged: git(repo, "diff", "--cached") };
}

function branches({ git, repo }: World): string[] {
  return git(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads").split("\n").filter((name) => name !== "main");
}

describe("a task in a worktree of a user's directory", () => {
  it("sees edits and untracked files, leaves the user's tree alone, and ends as commits on a branch", async () => {
    const here = world();
    const { git, repo } = here;
    writeFileSync(join(repo, "README.md"), "edited\n");
    writeFileSync(join(repo, "app", "main.txt"), "staged\n");
    git(repo, "add", "app/main.txt");
    put(join(repo, "app", "new.sh"), "#!/bin/sh\n");
    chmodSync(join(repo, "app", "new.sh"), 0o755);
    put(join(repo, "ignored", "big"), "no");
    put(join(repo, "app", ".multica", "stale"), "of another task");
    const before = user(here);
    const environment = await prepareEnvironment(here.input("1"));
    const tree = join(environment.root, "worktree");
    expect(environment).toMatchObject({ workdir: tree, localDirectory: true });
    expect([readFileSync(join(tree, "README.md"), "utf8"), readFileSync(join(tree, "app", "main.txt"), "utf8")]).toEqual(["edited\n", "staged\n"]);
    expect(statSync(join(tree, "app", "new.sh")).mode & 0o111).toBe(0o111);
    expect([existsSync(join(tree, "ignored")), existsSync(join(tree, "app", ".multica"))]).toEqual([false, false]);
    await writeBrief(environment, { contextFile: "CLAUDE.md", task: { issueId: "i" } });
    expect(JSON.parse(readFileSync(join(environment.root, ".multica_env.json"), "utf8"))).toMatchObject({ local_work_dir: repo, execution_mode: "worktree" });
    commitFiles(git, tree, { "app/done.txt": "work\n" });
    writeFileSync(join(tree, "left.txt"), "not committed\n");
    const end = await here.end(environment.root);
    environment.release();
    expect(end).toEqual({ branch: expect.stringMatching(/^agent\/ada\/[0-9a-f]{12}$/), kept: null });
    expect(existsSync(tree)).toBe(false);
    expect(user(here)).toEqual(before);
    const names = git(repo, "ls-tree", "-r", "--name-only", end.branch ?? "").split("\n");
    expect(names).toEqual([".gitignore", "README.md", "app/done.txt", "app/main.txt", "app/new.sh", "left.txt"]);
    expect(git(repo, "worktree", "list").split("\n")).toHaveLength(1);
  });

  it("works in the same subdirectory, and leaves no branch when nothing changed", async () => {
    const here = world();
    const environment = await prepareEnvironment(here.input("1", join(here.repo, "app")));
    expect(environment.workdir).toBe(join(environment.root, "worktree", "app"));
    expect(await here.end(environment.root)).toEqual({ branch: null, kept: null });
    expect(await here.end(environment.root)).toEqual({ branch: null, kept: null });
    environment.release();
    expect(branches(here)).toEqual([]);
    expect(existsSync(join(environment.root, "worktree"))).toBe(false);
  });

  it("commits for a user without an identity", async () => {
    const here = world();
    writeFileSync(join(here.git.home, ".gitconfig"), "[user]\n\tuseConfigOnly = true\n");
    writeFileSync(join(here.repo, "README.md"), "edited\n");
    const environment = await prepareEnvironment(here.input("1"));
    writeFileSync(join(environment.workdir, "left.txt"), "x");
    const end = await here.end(environment.root);
    environment.release();
    expect(here.git(here.repo, "log", "-1", "--format=%an", end.branch ?? "")).toBe("Multica");
  });

  it("gives tasks at the same time worktrees of their own", async () => {
    const here = world();
    const environments = await Promise.all(["1", "2", "3"].map((tail) => prepareEnvironment(here.input(tail))));
    for (const [at, environment] of environments.entries()) writeFileSync(join(environment.workdir, "own.txt"), String(at));
    const ends = await Promise.all(environments.map((environment) => here.end(environment.root)));
    for (const environment of environments) environment.release();
    expect(ends.map((end, at) => [end.kept, here.git(here.repo, "show", `${end.branch ?? ""}:own.txt`), at])).toEqual([[null, "0", 0], [null, "1", 1], [null, "2", 2]]);
  });

  it.each<[string, (here: World) => string, RegExp]>([
    ["a directory in no repository", () => tempDir("multica-plain-"), /in no git repository/],
    ["a repository without a commit", ({ git }) => { const path = tempDir("multica-empty-"); git(path, "init", "-q"); return path; }, /no commit yet/],
    ["an untracked link", ({ repo }) => { symlinkSync("README.md", join(repo, "link")); return repo; }, /no regular file/],
    ["an untracked repository", ({ git, repo }) => { makeRemote(git, join(repo, "inner")); return repo; }, /no regular file/],
    ["too many untracked files", ({ repo }) => { for (let n = 0; n < 2001; n += 1) writeFileSync(join(repo, `u${n}`), ""); return repo; }, /at most 2000/],
    ["an untracked file that cannot be put there", ({ repo }) => { rmSync(join(repo, "README.md")); mkdirSync(join(repo, "README.md")); writeFileSync(join(repo, "README.md", "x"), ""); execFileSync("truncate", ["-s", "201M", join(repo, "README.md", "x")]); return repo; }, /larger than 200 MiB|git/],
  ])("refuses %s and leaves nothing", async (_what, arrange, message) => {
    const here = world();
    const directory = arrange(here);
    const input = here.input("1", directory);
    await expect(prepareEnvironment(input)).rejects.toThrow(message);
    expect(branches(here)).toEqual([]);
    expect(here.git(here.repo, "worktree", "list").split("\n")).toHaveLength(1);
    expect(existsSync(join(input.workspacesRoot, input.workspaceId))).toBe(true);
    expect(existsSync(join(input.workspacesRoot, input.workspaceId, input.taskId.slice(-12)))).toBe(false);
  });

  it("keeps the worktree when its leftovers cannot be committed, and a fresh run of the task does not remove it", async () => {
    const here = world();
    const environment = await prepareEnvironment(here.input("1"));
    writeFileSync(join(environment.workdir, "left.txt"), "the only copy");
    const index = join(here.repo, ".git", "worktrees", "worktree", "index");
    renameSync(index, `${index}.aside`);
    mkdirSync(index);
    const end = await here.end(environment.root);
    environment.release();
    expect(end).toMatchObject({ branch: null, kept: { path: environment.workdir } });
    await expect(prepareEnvironment(here.input("1"))).rejects.toMatchObject({ code: "env_worktree_kept" });
    expect(readFileSync(join(environment.workdir, "left.txt"), "utf8")).toBe("the only copy");
    rmSync(index, { recursive: true });
    renameSync(`${index}.aside`, index);
    const again = await prepareEnvironment(here.input("1"));
    await here.end(again.root);
    again.release();
    // What the earlier run left became a commit before its place was used again.
    expect(branches(here).map((name) => here.git(here.repo, "show", `${name}:left.txt`))).toEqual(["the only copy"]);
  });

  it("keeps the worktree when an agent made the repository start programs, or its commits are on no branch", async () => {
    const here = world();
    const first = await prepareEnvironment(here.input("1"));
    here.git(first.workdir, "config", "filter.evil.clean", "touch /nowhere");
    expect((await here.end(first.root)).kept?.why).toContain("starts other programs");
    first.release();
    here.git(here.repo, "config", "--unset", "filter.evil.clean");
    const second = await prepareEnvironment(here.input("2"));
    here.git(second.workdir, "checkout", "-q", "--detach");
    commitFiles(here.git, second.workdir, { "x.txt": "x" });
    expect((await here.end(second.root)).kept?.why).toContain("on no branch");
    second.release();
  });

  it("commits nothing when our own files could not be taken out", async () => {
    const here = world();
    const environment = await prepareEnvironment(here.input("1"));
    writeFileSync(join(environment.root, ".multica_sidecar_manifest.json"), "torn");
    expect(await here.end(environment.root)).toMatchObject({ branch: null, kept: { path: environment.workdir } });
    environment.release();
    expect(here.git(here.repo, "log", "--format=%s", "--all")).toBe("first");
  });
});
