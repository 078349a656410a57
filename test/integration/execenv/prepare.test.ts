// execenv.md 18, cases 27–29, 31 and 40. Case 34 (a preparation in a process of its own) is optional and not built: a preparation that
// hangs is ended after five minutes and its late result given back (daemon/task/pipeline.test.ts, K-10).
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { predictEnvRoot, prepareEnvironment, readRecord, restoreRootMarker, writeGcMeta } from "../../../src/lib/execenv/index.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { branchName, createRepoCache, createRepoKeeper } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote, testGit } from "../../support/git.ts";
import { recordingLogger } from "../../support/recording-logger.ts";
import { tempDir } from "../../support/temp.ts";
import { ISSUE, WORKSPACE, machine, prepareInput, put, snapshot } from "../../support/execenv.ts";

const TASK = "01980000-0000-7000-8000-00000000aaaa";
const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

describe("prepareEnvironment", () => {
  it("lays the tree out where it was predicted, with marker, context, provenance and record", async () => {
    const place = machine();
    const environment = await prepareEnvironment(prepareInput(place, TASK));
    expect(environment.root).toBe(predictEnvRoot(place.root, WORKSPACE, TASK));
    expect(environment.workdir).toBe(join(environment.root, "workdir"));
    expect(readdirSync(environment.root).sort()).toEqual(
      [".managed_env.json", ".multica_env.json", ".task_lock", ".task_lock.holder", ".task_owner", "logs", "multica-config", "output", "workdir"].sort(),
    );
    expect(json(join(environment.workdir, ".multica/daemon_task_context.json"))).toMatchObject({ managed_by: "multica-daemon-task", issue_id: ISSUE });
    expect(json(join(place.root, ".multica/daemon_task_context.json"))).toEqual({ managed_by: "multica-daemon-task" });
    expect(readFileSync(join(environment.workdir, ".agent_context/issue_context.md"), "utf8")).toContain(ISSUE);
    expect(statSync(join(environment.root, "multica-config")).mode & 0o777).toBe(0o700);
    expect(statSync(join(environment.root, ".multica_env.json")).mode & 0o777).toBe(0o600);
    expect(await readRecord(environment.root)).toMatchObject({ provider: "acp", task_id: TASK, last_task_id: TASK });
    expect(environment.env).toEqual({
      MULTICA_TASK_CONFIG_ROOT: join(environment.root, "multica-config"),
      MULTICA_TASK_WORKSPACES_ROOT: place.root,
    });
    expect(environment.reused).toBe(false);
    environment.release();
    environment.release();
  });

  it("gives two tasks of one minute roots and branches of their own (case 28)", async () => {
    const place = machine();
    const first = predictEnvRoot(place.root, WORKSPACE, "01980000-0000-7000-8000-00000000aaaa");
    const second = predictEnvRoot(place.root, WORKSPACE, "01980000-0000-7000-8000-00000000bbbb");
    expect(first).not.toBe(second);
    expect(branchName("Ada", "01980000-0000-7000-8000-00000000aaaa")).not.toBe(branchName("Ada", "01980000-0000-7000-8000-00000000bbbb"));
    expect(predictEnvRoot("", WORKSPACE, TASK)).toBe("");
  });

  it("names the input that is missing", async () => {
    await expect(prepareEnvironment(prepareInput(machine(), ""))).rejects.toMatchObject({ code: "env_input", message: expect.stringContaining("task id") });
  });

  it("refuses a second execution of the same task while the first one lives, and resets the root afterwards", async () => {
    const place = machine();
    const first = await prepareEnvironment(prepareInput(place, TASK));
    put(join(first.workdir, "half-done.txt"), "x");
    await expect(prepareEnvironment(prepareInput(place, TASK))).rejects.toMatchObject({ code: "env_busy", exit: 7 });
    expect(existsSync(join(first.workdir, "half-done.txt"))).toBe(true);
    first.release();
    const second = await prepareEnvironment(prepareInput(place, TASK));
    expect(existsSync(join(second.workdir, "half-done.txt"))).toBe(false);
    second.release();
  });

  it("keeps what an earlier, dead execution of the same task left in its checkouts; when that fails the root is not reset", async () => {
    const place = machine();
    const git = testGit(tempDir());
    const remote = makeRemote(git, join(tempDir(), "api"));
    const cache = createRepoCache({ root: place.root, clock: systemClock, logger: silentLogger, env: git.env });
    onTestFinished(() => cache.close());
    const { path: bare } = await cache.ensure(WORKSPACE, remote);
    const first = await prepareEnvironment(prepareInput(place, TASK));
    const { path } = await cache.checkout({ workspaceId: WORKSPACE, url: remote, workdir: first.workdir, taskId: TASK, agentName: "Ada", mode: "isolated" });
    const commit = commitFiles(git, path, { "a.txt": "committed" });
    put(join(path, "open.txt"), "not committed");
    const open = git(path, "hash-object", "open.txt");
    first.release();
    put(join(bare, "refs", "multica", "rescue"), "in the way");
    await expect(prepareEnvironment(prepareInput(place, TASK))).rejects.toMatchObject({ code: "rescue_failed" });
    expect(readFileSync(join(path, "open.txt"), "utf8")).toBe("not committed");
    rmSync(join(bare, "refs", "multica", "rescue"));
    const second = await prepareEnvironment(prepareInput(place, TASK));
    second.release();
    expect(existsSync(path)).toBe(false);
    const reachable = git(bare, "rev-list", "--objects", "--all");
    for (const id of [commit, open]) expect(reachable).toContain(id);
  });

  it("moves repositories that the agent made itself aside for 30 days when it starts over, and says where", async () => {
    const place = machine();
    const git = testGit(tempDir());
    const first = await prepareEnvironment(prepareInput(place, TASK));
    const make = (name: string): string => {
      put(join(first.workdir, name, "open.txt"), "not committed");
      git(join(first.workdir, name), "init", "-q");
      return join(first.workdir, name);
    };
    const own = make("own");
    const commit = commitFiles(git, own, { "a.txt": "committed" });
    put(join(own, "later.txt"), "later");
    // Goes with the one it lies in.
    make("own/inner");
    const clean = make("clean");
    commitFiles(git, clean, { "b.txt": "b" });
    git(clean, "update-ref", "refs/remotes/origin/main", "HEAD");
    put(join(first.workdir, "broken", ".git"), "gitdir: gone\n");
    chmodSync(own, 0o500);
    first.release();
    const { logger, lines } = recordingLogger();
    const second = await prepareEnvironment({ ...prepareInput(place, TASK), logger });
    second.release();
    expect(existsSync(own)).toBe(false);
    const said = lines.filter((line) => line.msg === "a repository of an earlier attempt was moved aside for 30 days");
    expect(said.map((line) => line["path"])).toEqual([join(first.workdir, "broken"), own]);
    const keeper = createRepoKeeper({ root: place.root, clock: systemClock, env: git.env });
    const kept = (await keeper.rescues()).find((work) => work.checkout === own) ?? expect.fail("not listed");
    expect(kept).toMatchObject({ kind: "directory", task_id: TASK, workspace_id: WORKSPACE, id: said[1]?.["rescue"] });
    expect(git(kept.cache, "rev-parse", "HEAD")).toBe(commit);
    expect(["later.txt", "open.txt", "inner/open.txt"].map((name) => existsSync(join(kept.cache, name)))).toEqual([true, true, true]);
    const tidy = async (days: number): Promise<boolean> => {
      const clock = { ...systemClock, now: () => Date.parse(kept.at) + days * 86_400_000 };
      const cache = createRepoCache({ root: place.root, clock, logger: silentLogger, env: git.env });
      onTestFinished(() => cache.close());
      await cache.maintain({ evictAfterMs: 0, pack: false, isIdle: () => true, isClaimed: () => false, signal: new AbortController().signal });
      return existsSync(kept.cache);
    };
    expect([await tidy(29), await tidy(31)]).toEqual([true, false]);
  });

  it("does not reset the root when such a repository cannot be moved", async () => {
    const place = machine();
    const git = testGit(tempDir());
    const first = await prepareEnvironment(prepareInput(place, TASK));
    put(join(first.workdir, "own", "open.txt"), "not committed");
    git(join(first.workdir, "own"), "init", "-q");
    first.release();
    put(join(place.root, ".kept"), "in the way");
    await expect(prepareEnvironment(prepareInput(place, TASK))).rejects.toMatchObject({ code: "rescue_failed" });
    expect(existsSync(join(first.workdir, "own", "open.txt"))).toBe(true);
  });

  it("lets exactly one of many concurrent executions have the root", async () => {
    const place = machine();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => prepareEnvironment(prepareInput(place, TASK))));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    expect(results.filter((result) => result.status === "rejected").map((result) => (result.reason as { code: string }).code)).toEqual(Array(7).fill("env_busy"));
    for (const result of won) result.value.release();
  });

  it("leaves a root alone that is another task's or holds files without an owner", async () => {
    const place = machine();
    const root = predictEnvRoot(place.root, WORKSPACE, TASK);
    put(join(root, ".task_owner"), "another-task\n");
    put(join(root, "workdir", "precious.txt"), "keep");
    await expect(prepareEnvironment(prepareInput(place, TASK))).rejects.toMatchObject({ code: "env_owned" });
    put(join(root, ".task_owner"), "");
    await expect(prepareEnvironment(prepareInput(place, TASK))).rejects.toMatchObject({ code: "env_unowned" });
    expect(readFileSync(join(root, "workdir", "precious.txt"), "utf8")).toBe("keep");
  });

  it("adopts an empty root whose owner was torn", async () => {
    const place = machine();
    put(join(predictEnvRoot(place.root, WORKSPACE, TASK), ".task_owner"), "");
    const environment = await prepareEnvironment(prepareInput(place, TASK));
    expect(readFileSync(join(environment.root, ".task_owner"), "utf8").trim()).toBe(TASK);
    environment.release();
  });

  it("leaves nothing behind when a step fails, and can be tried again at once", async () => {
    const place = machine();
    put(join(place.shared, "config.toml"), "this is = = not toml");
    const input = prepareInput(place, TASK, { provider: "codex" });
    await expect(prepareEnvironment(input)).rejects.toMatchObject({ code: "codex_config_invalid" });
    expect(existsSync(predictEnvRoot(place.root, WORKSPACE, TASK))).toBe(false);
    expect(readFileSync(join(place.shared, "config.toml"), "utf8")).toBe("this is = = not toml");
    put(join(place.shared, "config.toml"), 'model = "m"\n');
    (await prepareEnvironment(input)).release();
  });

  it("writes no provenance for a task that nothing can continue", async () => {
    const place = machine();
    const task = { issueId: undefined, quickCreatePrompt: "make an issue" };
    const environment = await prepareEnvironment(prepareInput(place, TASK, { task }));
    expect(existsSync(join(environment.root, ".managed_env.json"))).toBe(false);
    environment.release();
  });

  it("writes the project file, with an empty list for a project without resources", async () => {
    const place = machine();
    const environment = await prepareEnvironment(prepareInput(place, TASK, { task: { project: { id: "p1", title: "P", resources: [] } } }));
    expect(json(join(environment.workdir, ".multica/project/resources.json"))).toEqual({ project_id: "p1", project_title: "P", resources: [] });
    environment.release();
  });
});

describe("restoreRootMarker", () => {
  it("rewrites a torn marker and refuses a foreign one", async () => {
    const { root } = machine();
    const path = join(root, ".multica/daemon_task_context.json");
    put(path, '{"managed_by": "mult');
    await restoreRootMarker(root);
    const before = snapshot(root);
    await restoreRootMarker(root);
    expect(snapshot(root)).toEqual(before);
    put(path, '{"managed_by": "somebody"}');
    await expect(restoreRootMarker(root)).rejects.toMatchObject({ code: "marker_foreign" });
  });

  it("does not keep a task from starting when it cannot be written", async () => {
    const place = machine();
    mkdirSync(join(place.root, ".multica/daemon_task_context.json"), { recursive: true });
    (await prepareEnvironment(prepareInput(place, TASK))).release();
  });
});

describe("writeGcMeta", () => {
  it("chooses the parent to ask about: chat, autopilot run, issue, then the task of a quick create", async () => {
    const { root } = machine();
    mkdirSync(root, { recursive: true });
    chmodSync(root, 0o755);
    const write = async (task: Parameters<typeof writeGcMeta>[0]["task"]): Promise<unknown> => {
      const written = await writeGcMeta({ root, workspaceId: WORKSPACE, taskId: TASK, task, nowMs: 0 });
      return written ? json(join(root, ".gc_meta.json")) : undefined;
    };
    expect(await write({ chatSessionId: "c", issueId: ISSUE })).toMatchObject({ kind: "chat", chat_session_id: "c" });
    expect(await write({ autopilot: { runId: "r" }, issueId: ISSUE })).toMatchObject({ kind: "autopilot_run", autopilot_run_id: "r" });
    expect(await write({ issueId: ISSUE })).toEqual({ kind: "issue", issue_id: ISSUE, workspace_id: WORKSPACE, completed_at: "1970-01-01T00:00:00.000Z" });
    expect(await write({ quickCreatePrompt: "x" })).toMatchObject({ kind: "quick_create", task_id: TASK });
    expect(await write({})).toBeUndefined();
  });
});
