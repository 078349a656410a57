import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { takeDirectory } from "../../../../src/lib/daemon/task/directory-locks.ts";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import type { Task } from "../../../../src/lib/wire/index.ts";
import { makeRemote, testGit } from "../../../support/git.ts";
import { picture } from "../../../support/local-tasks.ts";
import { type TaskDaemon, taskDaemon } from "../../../support/task-daemon.ts";
import { tempDir } from "../../../support/temp.ts";
import { waitFor } from "../../../support/wait.ts";

function localTask(daemon: TaskDaemon, path: string, more: Record<string, unknown> = {}) {
  const resource = { id: "1", resource_type: "local_directory", resource_ref: { daemon_id: "d", local_path: path, label: "my project", ...more } };
  return daemon.task({ project_resources: [resource] });
}

/** A server that keeps the state of each task for itself. */
function serveMany(daemon: TaskDaemon): Map<string, string> {
  const states = new Map<string, string>();
  daemon.server.script = (route, _nth, call) => {
    if (route === "start") states.set(call.taskId, "running");
    const status = states.get(call.taskId) ?? "dispatched";
    if (route === "status") return { status: 200, body: { status } };
    return route === "start" ? { status: 200, body: { id: call.taskId, agent_id: "a", workspace_id: "w", status } } : undefined;
  };
  return states;
}

/** Where the only worktree of this daemon is. */
function worktreeOf(daemon: TaskDaemon): string {
  const root = join(daemon.ctx.config.workspacesRoot, "w");
  return join(root, readdirSync(root).find((name) => !name.startsWith(".")) ?? "", "worktree");
}

/** Makes it impossible to commit in the repository's worktree. */
function breakIndex(repo: string): void {
  const worktrees = join(repo, ".git", "worktrees");
  const index = join(worktrees, readdirSync(worktrees)[0] ?? "", "index");
  renameSync(index, `${index}.aside`);
  mkdirSync(index);
}

/** The user's tree without what the fixture agent wrote as its work. */
function without(path: string): Record<string, string> {
  return Object.fromEntries(Object.entries(picture(path)).filter(([name]) => !name.includes("/agent-") && !name.includes("/.git")));
}

describe("a task in a user's directory", () => {
  it("works there and leaves the user's files as they were (K-16)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const base = tempDir("multica-user-");
    writeFileSync(join(base, "AGENTS.md"), "mine");
    const before = without(base);
    await runTask(daemon.ctx, localTask(daemon, base), 1);
    expect(daemon.server.bodies("complete")).toHaveLength(1);
    expect(existsSync(join(base, "agent-env.json"))).toBe(true);
    expect(without(base)).toEqual(before);
    const root = join(daemon.ctx.config.workspacesRoot, "w");
    const env = readdirSync(root).filter((name) => !name.startsWith("."))[0] ?? "";
    expect(JSON.parse(readFileSync(join(root, env, ".gc_meta.json"), "utf8"))).toMatchObject({ issue_id: "i1", local_directory: true });
    expect(daemon.ctx.activeRoots.list()).toEqual([]);
  });

  it.each(["acp-crash", "acp-gives-up"])("leaves the user's files as they were when the agent is %s (K-16)", async (agent) => {
    const daemon = await taskDaemon({ agent });
    const base = tempDir("multica-user-");
    writeFileSync(join(base, "AGENTS.md"), "mine");
    const before = without(base);
    await runTask(daemon.ctx, localTask(daemon, base), 1);
    expect(daemon.server.bodies("fail")).toHaveLength(1);
    expect(without(base)).toEqual(before);
  });

  it("waits for the task that works there, and says so without a path (K-11); others go on", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute" });
    const base = tempDir("multica-user-");
    const first = localTask(daemon, base);
    const running = runTask(daemon.ctx, first, 1);
    await waitFor("first agent", () => daemon.ctx.counters.running === 1);
    daemon.server.state = "dispatched";
    const second = runTask(daemon.ctx, localTask(daemon, `${base}/`), 2);
    await waitFor("waiting status", () => daemon.server.bodies("wait-local-directory").length === 1);
    expect(daemon.server.bodies("wait-local-directory")).toEqual([{ reason: `my project (held by task ${first.id.slice(0, 8)})` }]);
    await waitFor("counted", () => daemon.ctx.counters.resourceWait === 1);
    expect(daemon.server.bodies("start")).toHaveLength(1);
    daemon.shutdown.abort(new Error("shutdown"));
    await Promise.all([running, second]);
    expect(daemon.ctx.counters).toEqual({ running: 0, resourceWait: 0 });
    expect(readdirSync(base)).toEqual([]);
    expect(daemon.server.bodies("fail").map((body) => body["failure_reason"])).toEqual(["runtime_recovery", "runtime_recovery"]);
  });

  it("serves who came first; one that is cancelled while it waits leaves the queue without a word (K-12), and cancelled work leaves the tree as it was (K-16)", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute" });
    const base = tempDir("multica-user-");
    writeFileSync(join(base, "CLAUDE.md"), "mine");
    writeFileSync(join(base, "AGENTS.md"), "also mine");
    const before = without(base);
    const states = serveMany(daemon);
    const tasks = [1, 2, 3, 4].map(() => localTask(daemon, base));
    const runs = new Map<Task, Promise<void>>();
    for (const [at, task] of tasks.entries()) {
      runs.set(task, runTask(daemon.ctx, task, at + 1));
      await waitFor(`task ${at + 1} in its place`, () => (at === 0 ? daemon.ctx.counters.running === 1 : daemon.ctx.counters.resourceWait === at));
    }
    expect(existsSync(join(base, ".multica"))).toBe(true);
    const started = (): string[] => daemon.server.calls.filter((call) => call.route === "start").map((call) => call.taskId);
    const cancel = async (task: Task | undefined): Promise<void> => {
      states.set(task?.id ?? "", "cancelled");
      daemon.ctx.reconcile.broadcast();
      await (task === undefined ? undefined : runs.get(task));
    };
    const [first, second, third, fourth] = tasks;
    await cancel(second);
    expect(started()).toEqual([first?.id]);
    expect(daemon.server.calls.filter((call) => call.taskId === second?.id).map((call) => call.route).filter((route) => ["start", "complete", "fail"].includes(route))).toEqual([]);
    await cancel(first);
    await waitFor("the third to begin", () => started().length === 2);
    await cancel(third);
    await waitFor("the fourth to begin", () => started().length === 3);
    await cancel(fourth);
    expect(started()).toEqual([first?.id, third?.id, fourth?.id]);
    expect(without(base)).toEqual(before);
    expect(daemon.ctx.counters).toEqual({ running: 0, resourceWait: 0 });
    expect(daemon.ctx.activeRoots.list()).toEqual([]);
  }, 60_000);

  it("keeps the lease of a task that waits, however long it waits", async () => {
    const clock = new HeldClock();
    const daemon = await taskDaemon({ agent: "acp-happy", clock });
    const base = tempDir("multica-user-");
    const leave = await takeDirectory(realpathSync(base), "another-task", new AbortController().signal);
    try {
      const running = runTask(daemon.ctx, localTask(daemon, base), 1);
      await waitFor("waiting status", () => daemon.server.bodies("wait-local-directory").length === 1 && daemon.ctx.counters.resourceWait === 1);
      for (let count = 1; count <= 25; count += 1) {
        await clock.advance(15_000);
        await waitFor(`lease ${count}`, () => daemon.server.bodies("prepare-lease").length >= count);
      }
      // Longer than a preparation may take: waiting is no part of it.
      expect(daemon.server.bodies("fail")).toEqual([]);
      daemon.shutdown.abort(new Error("shutdown"));
      await waitFor("its end", async () => {
        await clock.advance(1000);
        return daemon.ctx.counters.resourceWait === 0 && daemon.server.bodies("fail").length === 1;
      });
      await running;
    } finally {
      leave();
    }
    expect(daemon.server.bodies("start")).toEqual([]);
  });

  it("starts the next task when the first has left", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const base = tempDir("multica-user-");
    daemon.server.script = (route) => (route === "status" ? { status: 200, body: { status: "running" } } : route === "complete" ? { status: 200, body: { id: "t", agent_id: "a", workspace_id: "w", status: "completed" } } : undefined);
    const first = runTask(daemon.ctx, localTask(daemon, base), 1);
    daemon.server.state = "dispatched";
    await waitFor("first start", () => daemon.server.bodies("start").length === 1);
    daemon.server.state = "dispatched";
    await Promise.all([first, runTask(daemon.ctx, localTask(daemon, base), 2)]);
    expect(daemon.server.bodies("complete")).toHaveLength(2);
  });

  it.each<[string, (home: string) => [string, Record<string, unknown>], RegExp]>([
    ["another execution mode (K-14)", () => [tempDir("multica-user-"), { execution_mode: "sandboxed" }], /"sandboxed"/],
    ["a link to the home directory (K-15)", (home) => { const link = join(tempDir("multica-user-"), "link"); symlinkSync(home, link); return [link, {}]; }, /home/],
    ["a relative path", () => ["x/y", {}], /absolute/],
    ["worktree mode outside a repository", () => [tempDir("multica-user-"), { execution_mode: "worktree" }], /in no git repository/],
  ])("is failed for %s and writes nothing", async (_what, arrange, error) => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const [path, more] = arrange(daemon.home);
    await runTask(daemon.ctx, localTask(daemon, path, more), 1);
    expect(daemon.server.order()).toEqual(["fail"]);
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ failure_reason: "local_directory_error", error: expect.stringMatching(error) })]);
    if (more["execution_mode"] !== undefined) expect(readdirSync(path)).toEqual([]);
  });

  it.each([
    ["reports what it used and where the work is", false],
    ["says so with the acknowledgement when it was cancelled", true],
  ])("that could not bring its worktree home %s", async (_what, cancelled) => {
    const git = testGit();
    const daemon = await taskDaemon({ agent: cancelled ? "acp-mute" : "acp-happy", env: git.env });
    const repo = makeRemote(git, join(tempDir("multica-user-"), "project"));
    const states = serveMany(daemon);
    const task = localTask(daemon, repo, { execution_mode: "worktree" });
    const answer = daemon.server.script;
    daemon.server.script = (route, nth, call) => {
      if (route === "start") breakIndex(repo);
      return answer(route, nth, call);
    };
    const running = runTask(daemon.ctx, task, 1);
    if (cancelled) {
      await waitFor("the agent", () => daemon.ctx.counters.running === 1);
      writeFileSync(join(worktreeOf(daemon), "left.txt"), "the only copy");
      states.set(task.id, "cancelled");
      daemon.ctx.reconcile.broadcast();
    }
    await running;
    const path = worktreeOf(daemon);
    expect(existsSync(path)).toBe(true);
    const error = expect.stringContaining(`stays in ${path}`) as unknown;
    if (cancelled) {
      expect(daemon.server.bodies("cancel-ack")).toEqual([{ error_message: error, failure_reason: "local_directory_error" }]);
      expect(daemon.server.bodies("fail")).toEqual([]);
      return;
    }
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ failure_reason: "local_directory_error", error, work_dir: path, session_id: "acp-session-1" })]);
    expect(daemon.server.bodies("usage")).toHaveLength(1);
    expect(daemon.server.bodies("complete")).toEqual([]);
  });

  it("works in a worktree beside the user and reports the branch", async () => {
    const git = testGit();
    const daemon = await taskDaemon({ agent: "acp-happy", env: git.env });
    const repo = makeRemote(git, join(tempDir("multica-user-"), "project"));
    writeFileSync(join(repo, "README.md"), "edited\n");
    const before = without(repo);
    await runTask(daemon.ctx, localTask(daemon, repo, { execution_mode: "worktree" }), 1);
    const branch = String(daemon.server.bodies("complete")[0]?.["branch_name"]);
    expect(branch).toMatch(/^agent\/dev\//);
    expect(git(repo, "ls-tree", "-r", "--name-only", branch).split("\n")).toEqual(["README.md", "agent-env.json", "agent-prompt.txt"]);
    expect(without(repo)).toEqual(before);
    expect(git(repo, "status", "--porcelain")).toBe("M README.md");
    expect(git(repo, "worktree", "list").split("\n")).toHaveLength(1);
  });
});
