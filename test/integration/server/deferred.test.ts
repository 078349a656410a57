import { describe, expect, it, onTestFinished } from "vitest";
import type { CommentRow, IssueRow } from "../../../src/lib/server/rows/index.ts";
import { startAlarm } from "../../../src/lib/server/services/tasks/alarm.ts";
import { cancelTask } from "../../../src/lib/server/services/tasks/cancel.ts";
import { completeTask } from "../../../src/lib/server/services/tasks/complete.ts";
import { onCommentChanged } from "../../../src/lib/server/services/tasks/enqueue.ts";
import { failTask } from "../../../src/lib/server/services/tasks/fail.ts";
import { pinSession, startTask } from "../../../src/lib/server/services/tasks/lifecycle.ts";
import { rerunIssue } from "../../../src/lib/server/services/tasks/rerun.ts";
import { startSweeper } from "../../../src/lib/server/services/tasks/sweeper.ts";
import { type TaskWorld, taskWorld } from "../../support/task-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NETWORK = { error: "dial tcp: connection refused", failure_reason: "agent_error.provider_network" };

/** The server's two clockworks over the task table, as `startServer` runs them. */
async function running(thresholds = {}): Promise<TaskWorld> {
  const world = await taskWorld(thresholds);
  const sweeper = startSweeper(world.ctx);
  const stop = startAlarm(world.ctx);
  onTestFinished(() => {
    sweeper.stop();
    stop();
  });
  return world;
}

/** Lets time pass with the daemon's heartbeats in it. */
async function alive(world: TaskWorld, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += MINUTE) {
    world.beat();
    await world.clock.advance(Math.min(MINUTE, ms - passed));
  }
}

const states = (world: TaskWorld, issue?: IssueRow) => world.tasks(issue).map((task) => task.status);

describe("a retry (server-api.md 11.6)", () => {
  it("of a network failure comes at once, then after 5 s, then not at all", async () => {
    const world = await running();
    const issue = world.issue(world.agent("Dev"));
    const first = world.startNext();
    world.tx((tx) => pinSession(tx, first.id, { session_id: "S", work_dir: "/w" }));
    world.tx((tx) => failTask(tx, first.id, NETWORK));
    const second = world.startNext();
    expect(second.attempt).toBe(2);
    world.tx((tx) => failTask(tx, second.id, NETWORK));
    expect(world.tasks()[2]).toMatchObject({ status: "deferred", attempt: 3, parent_task_id: second.id, fire_at: world.clock.now() + 5000 });
    expect(world.claim()).toBeNull();
    await world.clock.advance(4999);
    expect(world.claim()).toBeNull();
    world.events.length = 0;
    await world.clock.advance(1);
    expect(world.events).toEqual([{ type: "task_available", runtimeId: world.runtimeId, taskId: world.tasks()[2]?.id }]);
    const third = world.claim();
    expect(third).toMatchObject({ attempt: 3, prior_session_id: "S", prior_work_dir: "/w" });
    world.tx((tx) => failTask(tx, third?.id ?? "", NETWORK));
    expect(states(world)).toEqual(["failed", "failed", "failed"]);
    expect(world.comments(issue)).toMatchObject([{ author_type: "system" }]);
  });

  it("that is due is promoted by the claim itself when nobody woke up for it", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"), {});
    const id = world.startNext().id;
    world.set("task", id, { attempt: 2 });
    world.tx((tx) => failTask(tx, id, NETWORK));
    await world.clock.advance(5000);
    expect(world.claim()).toMatchObject({ attempt: 3 });
  });

  it("is due again after a restart of the server", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const id = world.startNext().id;
    world.set("task", id, { attempt: 2 });
    world.tx((tx) => failTask(tx, id, NETWORK));
    onTestFinished(startAlarm(world.ctx));
    await world.clock.advance(5000);
    expect(states(world)).toEqual(["failed", "queued"]);
  });

  it("takes a comment in that comes while it waits, and keeps its time", async () => {
    const world = await running();
    const issue = world.issue(world.agent("Dev"));
    const id = world.startNext().id;
    world.set("task", id, { attempt: 2 });
    world.tx((tx) => failTask(tx, id, NETWORK));
    const comment = world.comment(issue, "and please");
    expect(states(world)).toEqual(["failed", "deferred"]);
    await world.clock.advance(5000);
    expect(world.claim()).toMatchObject({ attempt: 3, trigger_comment_id: comment.id });
  });

  it("that is delayed takes the place of a follow-up that waits for the task", async () => {
    const world = await running();
    const issue = world.issue(world.agent("Dev"));
    const id = world.claim()?.id ?? "";
    const comment = world.comment(issue, "more");
    world.set("task", id, { attempt: 2 });
    world.tx((tx) => failTask(tx, id, { ...NETWORK, session_id: "S" }));
    expect(states(world)).toEqual(["failed", "deferred"]);
    await world.clock.advance(4000);
    expect(world.claim()).toBeNull();
    await world.clock.advance(1000);
    expect(world.claim()).toMatchObject({ attempt: 3, delivered_comment_ids: [comment.id], prior_session_id: "S" });
  });

  it("of a task whose runtime went away waits until the runtime is healthy", async () => {
    const world = await running();
    world.issue(world.agent("Dev"));
    const run = world.startNext();
    await world.clock.advance(16 * MINUTE);
    expect(world.task(run.id).failure_reason).toBe("runtime_offline");
    const retry = world.tasks()[1];
    expect(retry).toMatchObject({ status: "deferred", attempt: 2 });
    await world.clock.advance(10 * HOUR);
    expect(world.task(retry?.id ?? "").status).toBe("deferred");
    world.beat();
    expect(world.claim()).toMatchObject({ id: retry?.id, attempt: 2 });
  });

  it("whose runtime does not come back in a day fails as runtime_reconnect_timeout, and the issue says so", async () => {
    const world = await running();
    const issue = world.issue(world.agent("Dev"), { status: "in_progress" });
    world.startNext();
    await world.clock.advance(23 * HOUR);
    expect(states(world)).toEqual(["failed", "deferred"]);
    expect(world.load<IssueRow>("issue", issue.id).status).toBe("in_progress");
    await world.clock.advance(2 * HOUR);
    expect(world.tasks()[1]).toMatchObject({ status: "failed", failure_reason: "runtime_reconnect_timeout", error: "runtime did not come back" });
    expect(world.tasks()).toHaveLength(2);
    expect(world.comments(issue)).toMatchObject([{ content: expect.stringContaining("runtime did not come back") }]);
    expect(world.load<IssueRow>("issue", issue.id).status).toBe("todo");
  });

  it("is told to a runtime that was away without anybody noticing, with its first beat", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const run = world.startNext();
    await world.clock.advance(200_000);
    onTestFinished(startAlarm(world.ctx));
    world.tx((tx) => failTask(tx, run.id, { error: "the server was away", failure_reason: "runtime_offline" }));
    await world.clock.advance(2000);
    expect([world.runtime().status, ...states(world)]).toEqual(["online", "failed", "deferred"]);
    world.events.length = 0;
    world.beat();
    expect(world.events).toContainEqual({ type: "task_available", runtimeId: world.runtimeId, taskId: world.tasks()[1]?.id });
    expect(world.claim()).toMatchObject({ attempt: 2 });
  });

  it("is not given up for time in which the server did not watch", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    world.startNext();
    const before = startSweeper(world.ctx);
    await world.clock.advance(16 * MINUTE);
    before.stop();
    await world.clock.advance(30 * HOUR);
    const after = startSweeper(world.ctx);
    onTestFinished(() => after.stop());
    await world.clock.advance(23 * HOUR);
    expect(states(world)).toEqual(["failed", "deferred"]);
    await world.clock.advance(2 * HOUR);
    expect(world.tasks()[1]?.failure_reason).toBe("runtime_reconnect_timeout");
  });
});

/** An issue of Dev on which Other has commented; a person answers that comment, which wakes Other. */
async function answered(settings: object = {}) {
  const world = await running();
  world.ctx.db.exec(`UPDATE workspace SET settings = '${JSON.stringify(settings)}'`);
  const [dev, other] = [world.agent("Dev"), world.agent("Other")];
  const issue = world.issue(dev);
  const done = world.startNext();
  world.tx((tx) => completeTask(tx, done.id, { output: "" }));
  const root = world.comment(issue, "I looked at it", {}, { type: "agent", userId: world.userId, agentId: other });
  const reply = (content: string): CommentRow => world.comment(issue, content, { parent_id: root.id });
  const open = () => world.tasks(issue).filter((task) => task.id !== done.id);
  return { world, dev, other, issue, root, reply, open };
}

describe("an escalation (server-api.md 13.5.3)", () => {
  it("lets the issue's agent stand by for five minutes when a reply woke another one", async () => {
    const { world, dev, other, reply, open } = await answered();
    const comment = reply("are you sure?");
    expect(open()).toMatchObject([
      { agent_id: other, status: "queued" },
      { agent_id: dev, status: "deferred", fire_at: world.clock.now() + 5 * MINUTE, trigger_comment_id: comment.id },
    ]);
    await alive(world, 5 * MINUTE);
    expect(open()).toMatchObject([{ agent_id: other }, { agent_id: dev, status: "queued", escalates_task_id: null }]);
  });

  it("is over as soon as the first agent begins, not when it is only handed out", async () => {
    const { world, other, reply, open } = await answered();
    reply("are you sure?");
    const handedOut = world.claim();
    expect(handedOut?.agent_id).toBe(other);
    expect(open()[1]?.status).toBe("deferred");
    world.tx((tx) => startTask(tx, handedOut?.id ?? ""));
    expect(open()[1]?.status).toBe("cancelled");
  });

  it("goes over to the retry of a task that failed before it began", async () => {
    const { world, reply, open } = await answered();
    reply("are you sure?");
    const handedOut = world.claim();
    world.tx((tx) => failTask(tx, handedOut?.id ?? "", { error: "x", failure_reason: "timeout" }));
    const retry = world.startNext();
    expect(retry.parent_task_id).toBe(handedOut?.id);
    expect(open().map((task) => task.status)).toEqual(["failed", "cancelled", "running"]);
  });

  it("comes when the first agent's run was cancelled, and goes with its comment", async () => {
    const { world, dev, issue, reply, open } = await answered();
    const first = reply("are you sure?");
    world.tx((tx) => cancelTask(tx, open()[0]?.id ?? "", world.member));
    await alive(world, 5 * MINUTE);
    expect(open()[1]).toMatchObject({ agent_id: dev, status: "queued" });
    world.tx((tx) => onCommentChanged(tx, issue, first, "deleted", world.member));
    expect(open().map((task) => task.status)).toEqual(["cancelled", "cancelled"]);
  });

  it("takes further replies in without being put off, and lets a comment for the agent itself start it now", async () => {
    const { world, dev, issue, reply, open } = await answered();
    reply("are you sure?");
    const fireAt = open()[1]?.fire_at;
    await alive(world, MINUTE);
    const second = reply("really?");
    expect(open()).toHaveLength(2);
    expect(open()[1]).toMatchObject({ status: "deferred", fire_at: fireAt, trigger_comment_id: second.id });
    world.comment(issue, "you there");
    expect(open()[2]).toMatchObject({ agent_id: dev, status: "queued" });
    world.tx((tx) => rerunIssue(tx, issue, world.member));
    expect(open().slice(1).map((task) => task.status)).toEqual(["cancelled", "cancelled", "queued"]);
  });

  it("keeps the workspace's time, and stays away where it is 0 or less", async () => {
    const soon = await answered({ comment_routing: { escalation_seconds: 30 } });
    soon.reply("sure?");
    expect(soon.open()[1]?.fire_at).toBe(soon.world.clock.now() + 30_000);
    for (const escalation_seconds of [0, -1]) {
      const never = await answered({ comment_routing: { escalation_seconds } });
      never.reply("sure?");
      expect(never.open()).toHaveLength(1);
    }
  });

  it("is not for a reply that names somebody, a top-level comment, or an issue of the woken agent or of nobody", async () => {
    const { world, other, issue, root, reply, open } = await answered();
    reply(`[@Other](mention://agent/${other}) sure?`);
    expect(open()).toHaveLength(1);
    world.tx((tx) => cancelTask(tx, open()[0]?.id ?? "", world.member));
    for (const columns of [{ assignee_id: other }, { assignee_type: null, assignee_id: null }]) {
      world.set("issue", issue.id, columns);
      world.comment(world.load<IssueRow>("issue", issue.id), "sure?", { parent_id: root.id });
    }
    expect(open().filter((task) => task.status === "deferred")).toEqual([]);
  });
});
