import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectCheckouts, findCheckouts } from "../../../../src/lib/daemon/task/checkouts.ts";
import { nothingKnown } from "../../../../src/lib/daemon/task/run.ts";
import { taskKey } from "../../../../src/lib/core/index.ts";
import { commitFiles, makeRemote, testGit } from "../../../support/git.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";
import { tempDir } from "../../../support/temp.ts";

async function world() {
  const git = testGit(tempDir());
  const daemon = await taskDaemon({ agent: "acp-happy", env: git.env });
  const remote = makeRemote(git, join(tempDir(), "api"));
  const { repoCache } = daemon.ctx;
  const { path: cache } = await repoCache.ensure("w", remote);
  const workdir = tempDir();
  const task = daemon.task();
  const launch = daemon.ctx.runtimes.launchEntry("r");
  if (launch === null) throw new Error("no launch entry");
  const job = { agent: { id: "a", name: "Dev" }, issueId: "i1", provider: "acp", launch, token: "mat_x", leader: false };
  const known = { ...nothingKnown(), workDir: workdir, ownWorkDir: true };
  const run = { ctx: daemon.ctx, task, job, logger: daemon.ctx.logger, known };
  const checkout = (mode: "linked" | "isolated") =>
    repoCache.checkout({ workspaceId: "w", url: remote, workdir, taskId: task.id, agentName: "Dev", mode });
  return { git, daemon, cache, workdir, task, run, known, checkout };
}

describe("collectCheckouts", () => {
  it("brings the commits of an isolated checkout into the cache and names its branch", async () => {
    const { git, cache, task, run, known, checkout } = await world();
    const { path, branchName } = await checkout("isolated");
    const commit = commitFiles(git, path, { "new.txt": "work\n" });
    await collectCheckouts(run);
    expect(git(cache, "cat-file", "-t", commit)).toBe("commit");
    expect(git(cache, "rev-parse", `refs/multica/tasks/${taskKey(task.id)}/${branchName}`)).toBe(commit);
    expect(known.branchName).toBe(branchName);
  });

  it("finds a linked checkout, whose commits are in the cache already", async () => {
    const { git, cache, workdir, run, known, checkout } = await world();
    const { path, branchName } = await checkout("linked");
    const commit = commitFiles(git, path, { "new.txt": "work\n" });
    await collectCheckouts(run);
    expect(known.branchName).toBe(branchName);
    expect(findCheckouts(workdir)).toEqual([{ path, mode: "linked", branch: branchName, origin: "" }]);
    expect(git(cache, "cat-file", "-t", commit)).toBe("commit");
  });

  it("goes on past a checkout that cannot be taken, and past one of an unknown repository", async () => {
    const { git, daemon, workdir, run, known } = await world();
    const own = join(workdir, "own");
    mkdirSync(own);
    git(own, "init", "-q", "-b", "main");
    commitFiles(git, own, { a: "1" });
    const broken = join(workdir, "broken", ".git");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "config"), '[remote "origin"]\n\turl = https://example.com/x/y.git\n');
    await collectCheckouts(run);
    expect(known.branchName).toBe("main");
    expect(daemon.log()).not.toMatch(/"level":"error"/);
  });
});

describe("findCheckouts", () => {
  it("follows no link, enters no hidden directory and goes no deeper than three levels", () => {
    const workdir = tempDir();
    const elsewhere = tempDir();
    for (const place of [join(elsewhere, "repo"), join(workdir, ".hidden"), join(workdir, "a", "b", "c", "d"), join(workdir, "a", "b", "c2")]) {
      mkdirSync(join(place, ".git"), { recursive: true });
      writeFileSync(join(place, ".git", "HEAD"), "ref: refs/heads/x\n");
    }
    symlinkSync(join(elsewhere, "repo"), join(workdir, "link"));
    expect(findCheckouts(workdir).map((one) => one.path)).toEqual([join(workdir, "a", "b", "c2")]);
    expect(findCheckouts(join(workdir, "nowhere"))).toEqual([]);
  });
});
