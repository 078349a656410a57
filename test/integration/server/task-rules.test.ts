import { describe, expect, it, onTestFinished } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { all, insert } from "../../../src/lib/server/db/query.ts";
import type { IssueRow } from "../../../src/lib/server/rows/index.ts";
import { cancelTask } from "../../../src/lib/server/services/tasks/cancel.ts";
import { completeTask } from "../../../src/lib/server/services/tasks/complete.ts";
import { onIssueCreated, onIssueUpdated } from "../../../src/lib/server/services/tasks/enqueue.ts";
import { failTask, recoverOrphans } from "../../../src/lib/server/services/tasks/fail.ts";
import { pinSession, waitLocalDirectory } from "../../../src/lib/server/services/tasks/lifecycle.ts";
import { listMessages, recordMessages, recordUsage } from "../../../src/lib/server/services/tasks/records.ts";
import { rerunIssue } from "../../../src/lib/server/services/tasks/rerun.ts";
import { startSweeper } from "../../../src/lib/server/services/tasks/sweeper.ts";
import { type TaskWorld, taskWorld } from "../../support/task-world.ts";

const MINUTE = 60_000;

function change(world: TaskWorld, issue: IssueRow, columns: Record<string, string | number | null>): void {
  const before = world.load<IssueRow>("issue", issue.id);
  world.set("issue", issue.id, columns);
  world.tx((tx) => onIssueUpdated(tx, before, world.load<IssueRow>("issue", issue.id), world.member));
}

function squad(world: TaskWorld, leader: string): string {
  const id = uuid();
  const now = world.clock.now();
  insert(world.ctx.db, "squad", { id, workspace_id: world.workspaceId, name: "Core", leader_id: leader, creator_id: world.userId, created_at: now, updated_at: now });
  return id;
}

describe("what enqueues work (server-api.md 11.2)", () => {
  it("is an assignment to a squad only while its leader can begin, and the issue says so otherwise", async () => {
    const world = await taskWorld();
    const S = squad(world, world.agent("Lead"));
    const issue = world.issue(null, { assignee_type: "squad", assignee_id: S });
    expect(world.tasks(issue)).toMatchObject([{ status: "queued", is_leader_task: 1, squad_id: S }]);
    world.set("agent_runtime", world.runtimeId, { status: "offline" });
    const other = world.issue(null, { assignee_type: "squad", assignee_id: S });
    const moved = world.issue(null, { status: "backlog" });
    change(world, moved, { status: "todo", assignee_type: "squad", assignee_id: S });
    for (const waiting of [other, moved]) {
      expect(world.tasks(waiting)).toEqual([]);
      expect(world.comments(waiting)).toMatchObject([{ author_type: "system", content: expect.stringContaining("not online") }]);
    }
    expect(world.tx((tx) => rerunIssue(tx, other, world.member))).toMatchObject({ status: "queued", is_leader_task: 1 });
  });

  it("is no change to cancelled, which leaves the issue's runs alone as well", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const run = world.startNext();
    change(world, issue, { status: "cancelled" });
    expect(world.tasks(issue)).toMatchObject([{ id: run.id, status: "running" }]);
  });

  it("is the closing of a stage with all before it, but never for a parent that is closed, planned or a person's", async () => {
    const world = await taskWorld();
    const parent = world.issue(world.agent("Lead"));
    world.tx((tx) => cancelTask(tx, world.tasks(parent)[0]?.id ?? "", world.member));
    const [early, late, free] = [1, 2, null].map((stage) => world.issue(null, { parent_issue_id: parent.id, stage }));
    if (early === undefined || late === undefined || free === undefined) throw new Error("no issue");
    change(world, late, { status: "done" });
    expect(world.tasks(parent)).toHaveLength(1);
    change(world, early, { status: "done" });
    expect(world.tasks(parent)).toHaveLength(2);
    for (const columns of [{ status: "done" }, { status: "cancelled" }, { status: "backlog" }, { status: "todo", assignee_type: "member", assignee_id: world.userId }]) {
      world.set("issue", parent.id, columns);
      world.set("issue", free.id, { status: "todo" });
      change(world, free, { status: "done" });
    }
    expect(world.tasks(parent)).toHaveLength(2);
  });
});

describe("deferred tasks (server-api.md 11.1)", () => {
  it("are promoted one a pair, and only while the runtime is healthy", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const issue = world.issue(dev);
    const run = world.claim();
    world.comment(issue, "more");
    const [, follower] = world.tasks(issue);
    const { id: _id, ...columns } = follower ?? {};
    insert(world.ctx.db, "task", { ...columns, id: uuid() });
    await world.clock.advance(200_000);
    world.tx((tx) => cancelTask(tx, run?.id ?? "", world.member));
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["cancelled", "deferred", "deferred"]);
    world.beat();
    expect(world.claim()?.id).toBe(follower?.id);
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["cancelled", "dispatched", "deferred"]);
  });
});

describe("the sweeper's rules (server-api.md 11.4, 11.5)", () => {
  it("let at most 500 queued tasks expire in one round", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const columns = "agent_id, runtime_id, workspace_id, status, created_at, updated_at";
    world.ctx.db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 501)
      INSERT INTO task (id, ${columns}) SELECT 't' || i, '${dev}', '${world.runtimeId}', '${world.workspaceId}', 'queued', ${world.clock.now()}, 0 FROM n`);
    const sweeper = startSweeper(world.ctx);
    sweeper.stop();
    for (let passed = 0; passed < 120 * MINUTE; passed += MINUTE) {
      world.beat();
      sweeper.sweep();
      await world.clock.advance(MINUTE);
    }
    const left = () => all<{ id: string }>(world.ctx.db, "SELECT id FROM task WHERE status = 'queued'").length;
    sweeper.sweep();
    expect(left()).toBe(1);
    sweeper.sweep();
    expect(left()).toBe(0);
  });

  it("fail a task that waits for a directory with its runtime, though never for its age", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const id = world.claim()?.id ?? "";
    world.tx((tx) => waitLocalDirectory(tx, id, "busy"));
    const sweeper = startSweeper(world.ctx);
    onTestFinished(() => sweeper.stop());
    await world.clock.advance(16 * MINUTE);
    expect(world.task(id)).toMatchObject({ status: "failed", failure_reason: "runtime_offline" });
  });

  it("put an issue back to todo only when nobody works on it any more", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const other = world.agent("Other");
    world.comment(issue, `[@Other](mention://agent/${other})`);
    const first = world.startNext();
    world.startNext();
    for (const task of world.tasks(issue)) world.set("task", task.id, { max_attempts: 1 });
    world.set("issue", issue.id, { status: "in_progress" });
    world.set("task", first.id, { runtime_id: "elsewhere" });
    world.tx((tx) => recoverOrphans(tx, world.runtimeId));
    expect(world.load<IssueRow>("issue", issue.id).status).toBe("in_progress");
    world.tx((tx) => recoverOrphans(tx, "elsewhere"));
    expect(world.load<IssueRow>("issue", issue.id).status).toBe("todo");
  });
});

describe("a retry's row (server-api.md 11.6)", () => {
  it("is a copy of the failed task in everything that says what is to be done, for whom and how urgently", async () => {
    const world = await taskWorld();
    const S = squad(world, world.agent("Lead"));
    const issue = world.issue(null, { priority: "urgent" });
    world.set("issue", issue.id, { assignee_type: "squad", assignee_id: S });
    world.tx((tx) => onIssueCreated(tx, world.load<IssueRow>("issue", issue.id), world.member, { handoffNote: "mind the gap" }));
    world.comment(world.load<IssueRow>("issue", issue.id), "one");
    world.comment(world.load<IssueRow>("issue", issue.id), "two");
    const run = world.startNext();
    world.tx((tx) => failTask(tx, run.id, { error: "x", failure_reason: "timeout" }));
    const [before, after] = world.tasks(issue);
    const same = ["agent_id", "runtime_id", "issue_id", "trigger_comment_id", "coalesced_comment_ids", "trigger_summary", "priority", "context", "squad_id", "is_leader_task", "originator_user_id", "initiator_type", "initiator_id", "max_attempts"] as const;
    for (const column of same) expect(after?.[column], column).toEqual(before?.[column]);
    expect(after).toMatchObject({ attempt: 2, parent_task_id: run.id, squad_id: S, priority: 4, context: expect.stringContaining("mind the gap") });
  });
});

describe("a rerun (server-api.md 11.8)", () => {
  it.each([
    { name: "whose error shows a poisoned history", report: { error: "400 invalid_request_error", failure_reason: "agent_error.unknown" } },
    { name: "that failed for a reason that would repeat", report: { error: "x", failure_reason: "iteration_limit" } },
    { name: "whose session is gone from disk", report: { error: "x", failure_reason: "agent_blocked", session_rollout_missing: true } },
    { name: "that gave its session up", report: { error: "x", failure_reason: "agent_blocked", retired_session_id: "S" } },
  ])("of a run $name takes its directory and not its session", async ({ report }) => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const run = world.startNext();
    world.tx((tx) => pinSession(tx, run.id, { session_id: "S", work_dir: "/w" }));
    world.tx((tx) => failTask(tx, run.id, report));
    world.tx((tx) => rerunIssue(tx, issue, world.member, { taskId: run.id }));
    const next = world.claim();
    expect(next).toMatchObject({ prior_work_dir: "/w" });
    expect(next).not.toHaveProperty("prior_session_id");
  });

  it("on another runtime takes the directory and not the session", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const issue = world.issue(dev);
    const run = world.startNext();
    world.tx((tx) => completeTask(tx, run.id, { output: "x", session_id: "S", work_dir: "/w" }));
    const elsewhere = uuid();
    world.insertRuntime(elsewhere, "E", "codex");
    world.set("agent", dev, { runtime_id: elsewhere });
    world.tx((tx) => rerunIssue(tx, issue, world.member, { taskId: run.id }));
    const next = world.claim(elsewhere);
    expect(next).toMatchObject({ prior_work_dir: "/w" });
    expect(next).not.toHaveProperty("prior_session_id");
  });
});

describe("a cancelled run (server-api.md 11.9)", () => {
  it("keeps what its daemon still sends of it: words and usage", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const { id } = world.startNext();
    world.tx((tx) => cancelTask(tx, id, world.member));
    world.tx((tx) => recordMessages(tx, id, [{ seq: 1, type: "text", content: "late" }]));
    world.tx((tx) => recordUsage(tx, id, [{ provider: "codex", model: "m", input_tokens: 1, output_tokens: 2, cache_read_tokens: 0, cache_write_tokens: 0 }]));
    expect(listMessages(world.ctx.db, id, 0)).toMatchObject([{ content: "late" }]);
    expect(all(world.ctx.db, "SELECT input_tokens FROM task_usage")).toEqual([{ input_tokens: 1 }]);
    expect(world.task(id).status).toBe("cancelled");
  });
});
