import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { healEnvironment, prepareEnvironment } from "../../../src/lib/execenv/index.ts";
import { inspectEnvironment } from "../../../src/lib/execenv/checks/run.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { machine, prepareInput, snapshot } from "../../support/execenv.ts";
import { taskId } from "../../support/execenv-world.ts";
import { makeRemote, testGit } from "../../support/git.ts";
import { tempDir } from "../../support/temp.ts";

async function crashed() {
  const place = machine();
  const git = testGit();
  const repo = makeRemote(git, join(tempDir("multica-user-"), "project"));
  const host = { env: git.env, home: place.home, platform: "linux" as const };
  const environment = await prepareEnvironment(prepareInput(place, taskId("1"), { provider: "claude", host, localWorkDir: repo, worktree: { clock: systemClock } }));
  environment.release();
  const target = { root: environment.root, workspacesRoot: place.root, host, now: () => Date.now(), logger: silentLogger };
  return { git, repo, target, worktree: environment.workdir };
}

async function codes(target: Parameters<typeof inspectEnvironment>[0]): Promise<string[]> {
  return (await inspectEnvironment(target)).findings.map((one) => one.code).sort();
}

describe("worktrees in the list of checks", () => {
  it("names a worktree that was kept, with its branch, and heal does not touch it", async () => {
    const { target, worktree } = await crashed();
    writeFileSync(join(worktree, "work.txt"), "mine");
    const before = snapshot(worktree);
    const report = await healEnvironment(target);
    expect(report).toMatchObject({ status: "remaining" });
    expect(report.findings.find((one) => one.code === "WT_PRESERVED")).toMatchObject({ fix: "manual", actual: expect.stringMatching(/worktree, branch agent\/ada\//), status: "found" });
    expect(snapshot(worktree)).toEqual(before);
  });

  it("prunes the registration of a worktree that somebody removed, once", async () => {
    const { git, repo, target, worktree } = await crashed();
    rmSync(worktree, { recursive: true });
    expect(await codes(target)).toContain("WT_STALE");
    expect((await healEnvironment(target)).findings.find((one) => one.code === "WT_STALE")).toMatchObject({ status: "healed" });
    expect(git(repo, "worktree", "list").split("\n")).toHaveLength(1);
    expect(git(repo, "for-each-ref", "refs/heads/agent")).toBe("");
    expect(await codes(target)).not.toContain("WT_STALE");
    expect(existsSync(join(target.root, ".multica_worktree.json"))).toBe(false);
  });

  it("names a checkout whose git directory is gone, and keeps its files", async () => {
    const place = machine();
    const environment = await prepareEnvironment(prepareInput(place, taskId("1")));
    environment.release();
    const host = { env: {}, home: place.home, platform: "linux" as const };
    const target = { root: environment.root, workspacesRoot: place.root, host, now: () => Date.now(), logger: silentLogger };
    for (const name of ["broken", "whole"]) mkdirSync(join(environment.workdir, name));
    mkdirSync(join(place.home, "gitdir"));
    writeFileSync(join(environment.workdir, "broken", ".git"), "gitdir: /nowhere/worktrees/broken\n");
    writeFileSync(join(environment.workdir, "whole", ".git"), `gitdir: ${join(place.home, "gitdir")}\n`);
    const found = (await healEnvironment(target)).findings.filter((one) => one.code === "REPO_WORKTREE_BROKEN");
    expect(found).toMatchObject([{ path: "workdir/broken", fix: "manual", severity: "warn" }]);
    expect(existsSync(join(environment.workdir, "broken", ".git"))).toBe(true);
  });
});
