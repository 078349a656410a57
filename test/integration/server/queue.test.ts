import { describe, expect, it } from "vitest";
import type { Actor } from "../../../src/lib/server/context.ts";
import { insert } from "../../../src/lib/server/db/query.ts";
import type { IssueRow } from "../../../src/lib/server/rows/index.ts";
import { cancelTask } from "../../../src/lib/server/services/tasks/cancel.ts";
import { completeTask } from "../../../src/lib/server/services/tasks/complete.ts";
import {
  type UpdateOptions,
  cancelTasksOfAgent,
  cancelTasksOfIssue,
  onCommentChanged,
  onIssueUpdated,
} from "../../../src/lib/server/services/tasks/enqueue.ts";
import { rerunIssue } from "../../../src/lib/server/services/tasks/rerun.ts";
import { type TaskWorld, taskWorld } from "../../support/task-world.ts";

const mention = (id: string): string => `[@Agent](mention://agent/${id})`;

function change(world: TaskWorld, issue: IssueRow, columns: Record<string, string | null>, actor: Actor = world.member, options: UpdateOptions = {}) {
  const before = world.load<IssueRow>("issue", issue.id);
  world.set("issue", issue.id, columns);
  return world.tx((tx) => onIssueUpdated(tx, before, world.load<IssueRow>("issue", issue.id), actor, options));
}

describe("enqueue", () => {
  it("starts the agent a new issue is assigned to, and tells its runtime after the commit", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"), { priority: "high" });
    const [task] = world.tasks(issue);
    expect(task).toMatchObject({ status: "queued", priority: 3, runtime_id: world.runtimeId, originator_user_id: world.userId, attempt: 1 });
    expect(world.events).toEqual([{ type: "task_available", runtimeId: world.runtimeId, taskId: task?.id }]);
  });

  it("leaves the backlog, people and agents without a runtime alone", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"), { status: "backlog" });
    world.issue(null);
    world.issue(world.agent("Lost", { runtime_id: null }));
    world.issue(world.agent("Old", { archived_at: 1 }));
    world.issue(world.agent("Private", { owner_id: null }));
    expect(world.tasks()).toEqual([]);
  });

  it("queues for a runtime that is offline", async () => {
    const world = await taskWorld();
    world.set("agent_runtime", world.runtimeId, { status: "offline" });
    world.issue(world.agent("Dev"));
    expect(world.tasks()).toHaveLength(1);
  });

  it("starts what leaves the backlog, and nothing for other moves", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"), { status: "backlog" });
    expect(change(world, issue, { status: "cancelled" })).toBeNull();
    expect(change(world, issue, { status: "backlog" })).toBeNull();
    expect(change(world, issue, { status: "todo" }, world.member, { suppressRun: true })).toBeNull();
    world.set("issue", issue.id, { status: "backlog" });
    expect(change(world, issue, { status: "todo" }, world.member, { handoffNote: "mind the gap" })?.context).toContain("mind the gap");
    expect(change(world, issue, { status: "in_progress" })).toBeNull();
    expect(world.tasks()).toHaveLength(1);
  });

  it("starts the new assignee and leaves the old one's run alone", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    change(world, issue, { assignee_id: world.agent("Other") });
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["queued", "queued"]);
  });

  it("does not let an agent start itself on the issue it works on, but on another one", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const issue = world.issue(dev);
    const task = world.startNext();
    const actor: Actor = { type: "agent", userId: world.userId, agentId: dev, taskId: task.id };
    world.set("issue", issue.id, { assignee_id: null, assignee_type: null });
    expect(change(world, issue, { assignee_id: dev, assignee_type: "agent" }, actor)).toBeNull();
    const other = world.issue(null);
    expect(change(world, other, { assignee_id: dev, assignee_type: "agent" }, actor)).toMatchObject({ originator_user_id: world.userId, initiator_type: "agent" });
  });

  it("lets others invoke an agent only as its permission says", async () => {
    const world = await taskWorld();
    const targets = (type: string, id: string | null) => ({
      owner_id: null,
      permission_mode: "public_to",
      invocation_targets: JSON.stringify([{ target_type: type, target_id: id }]),
    });
    world.issue(world.agent("Open", targets("workspace", null)));
    world.issue(world.agent("Mine", targets("member", world.userId)));
    world.issue(world.agent("Theirs", targets("member", "someone else")));
    expect(world.tasks()).toHaveLength(2);
  });

  it("wakes the parent's agent when the last sub-issue of a stage closes", async () => {
    const world = await taskWorld();
    const parent = world.issue(world.agent("Lead"));
    const running = world.startNext();
    world.tx((tx) => completeTask(tx, running.id, { output: "split up" }));
    const first = world.issue(null, { parent_issue_id: parent.id });
    const second = world.issue(null, { parent_issue_id: parent.id });
    change(world, first, { status: "done" });
    expect(world.tasks(parent)).toHaveLength(1);
    change(world, second, { status: "cancelled" });
    expect(world.tasks(parent)).toHaveLength(2);
    expect(world.comments(parent).at(-1)).toMatchObject({ author_type: "system", content: expect.stringContaining("LOCA-2, LOCA-3") });
  });
});

describe("one pending row per issue and agent", () => {
  it("is a rule of the table", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const [task] = world.tasks(issue);
    expect(() => insert(world.ctx.db, "task", { ...task, id: "another" })).toThrow(/UNIQUE/);
    expect(() => insert(world.ctx.db, "task", { ...task, id: "another", status: "dispatched" })).toThrow(/UNIQUE/);
  });

  it("merges further comments into the queued row, the newest becoming its trigger", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const comments = ["one", "two", "three"].map((text) => world.comment(issue, text));
    const [task, ...others] = world.tasks(issue);
    expect(others).toEqual([]);
    expect(task).toMatchObject({ trigger_comment_id: comments[2]?.id, trigger_summary: "three" });
    expect(JSON.parse(task?.coalesced_comment_ids ?? "")).toEqual([comments[0]?.id, comments[1]?.id]);
  });

  it("keeps a comment that comes while the task is handed out for a run of its own", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    world.claim();
    const comment = world.comment(issue, "also this");
    world.comment(issue, "and this");
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["dispatched", "deferred"]);
    const [first] = world.tasks(issue);
    world.tx((tx) => cancelTask(tx, first?.id ?? "", world.member));
    const claimed = world.claim();
    expect(claimed?.coalesced_comments?.map((one) => one.id)).toEqual([comment.id]);
    expect(claimed?.trigger_comment_content).toBe("and this");
  });

  it("queues a follow-up behind a running task, claimable only after it", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const running = world.startNext();
    world.comment(issue, "one more thing");
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["running", "queued"]);
    expect(world.claim()).toBeNull();
    world.events.length = 0;
    world.tx((tx) => completeTask(tx, running.id, { output: "" }));
    expect(world.events.map((event) => event.type)).toEqual(["task_available"]);
    expect(world.claim()).toMatchObject({ kind: "comment", trigger_comment_content: "one more thing" });
  });
});

describe("onCommentChanged", () => {
  it("cancels the run that only the deleted comment had started", async () => {
    const world = await taskWorld();
    const issue = world.issue(null);
    const comment = world.comment(issue, mention(world.agent("Dev")));
    world.tx((tx) => onCommentChanged(tx, issue, comment, "deleted", world.member));
    expect(world.tasks().map((task) => task.status)).toEqual(["cancelled"]);
  });

  it("lets the other comments of a merged run stand", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const issue = world.issue(null);
    const first = world.comment(issue, `${mention(dev)} one`);
    const second = world.comment(issue, `${mention(dev)} two`);
    world.tx((tx) => onCommentChanged(tx, issue, second, "deleted", world.member));
    expect(world.tasks()).toMatchObject([{ status: "queued", trigger_comment_id: first.id, coalesced_comment_ids: "[]" }]);
  });

  it("routes an edited comment again, and leaves a run that has begun alone", async () => {
    const world = await taskWorld();
    const issue = world.issue(null);
    const comment = world.comment(issue, mention(world.agent("Dev")));
    const edited = { ...comment, content: mention(world.agent("Other")) };
    world.tx((tx) => onCommentChanged(tx, issue, edited, "edited", world.member));
    expect(world.tasks().map((task) => task.status)).toEqual(["cancelled", "queued"]);
    world.startNext();
    world.tx((tx) => onCommentChanged(tx, issue, edited, "edited", world.member));
    expect(world.tasks().map((task) => task.status)).toEqual(["cancelled", "running"]);
  });
});

describe("cancel", () => {
  it("ends everything that is open on an issue or for an agent, and never a run that has ended", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const first = world.issue(dev);
    const done = world.startNext();
    world.tx((tx) => completeTask(tx, done.id, { output: "" }));
    world.comment(first, "more");
    world.claim();
    world.comment(first, "even more");
    world.issue(dev);
    expect(world.tx((tx) => cancelTasksOfIssue(tx, first.id))).toBe(2);
    expect(world.tx((tx) => cancelTasksOfAgent(tx, dev))).toBe(1);
    expect(world.tasks().map((task) => task.status)).toEqual(["completed", "cancelled", "cancelled", "cancelled"]);
    expect(world.tx((tx) => cancelTask(tx, done.id, world.member))?.status).toBe("completed");
  });
});

describe("rerunIssue", () => {
  it("replaces what is pending with a fresh session", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const done = world.startNext();
    world.tx((tx) => completeTask(tx, done.id, { output: "x", session_id: "S", work_dir: "/w" }));
    world.comment(issue, "again");
    const next = world.tx((tx) => rerunIssue(tx, issue, world.member));
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["completed", "cancelled", "queued"]);
    expect(next).toMatchObject({ status: "queued", force_fresh_session: 1 });
    expect(world.claim()?.prior_session_id).toBeUndefined();
  });

  it("takes up the named run's session and directory", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const done = world.startNext();
    world.tx((tx) => completeTask(tx, done.id, { output: "x", session_id: "S", work_dir: "/w" }));
    world.tx((tx) => rerunIssue(tx, issue, world.member, { taskId: done.id }));
    expect(world.claim()).toMatchObject({ prior_session_id: "S", prior_work_dir: "/w" });
  });

  it("says why when nothing can be run", async () => {
    const world = await taskWorld();
    expect(() => world.tx((tx) => rerunIssue(tx, world.issue(null), world.member))).toThrow("no agent assigned");
    const issue = world.issue(world.agent("Old", { archived_at: 1 }));
    expect(() => world.tx((tx) => rerunIssue(tx, issue, world.member))).toThrow("archived");
  });
});
