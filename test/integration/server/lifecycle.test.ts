import { describe, expect, it } from "vitest";
import { all } from "../../../src/lib/server/db/query.ts";
import type { IssueRow } from "../../../src/lib/server/rows/index.ts";
import { acknowledgeCancel } from "../../../src/lib/server/services/tasks/cancel-ack.ts";
import { cancelTask } from "../../../src/lib/server/services/tasks/cancel.ts";
import { completeTask } from "../../../src/lib/server/services/tasks/complete.ts";
import { failTask, recoverOrphans } from "../../../src/lib/server/services/tasks/fail.ts";
import { pinSession, prepareLease, startTask, waitLocalDirectory } from "../../../src/lib/server/services/tasks/lifecycle.ts";
import { listMessages, recordMessages, recordUsage } from "../../../src/lib/server/services/tasks/records.ts";
import { type TaskWorld, taskWorld } from "../../support/task-world.ts";

async function started(): Promise<{ world: TaskWorld; issue: IssueRow; id: string; dev: string }> {
  const world = await taskWorld();
  const dev = world.agent("Dev");
  const issue = world.issue(dev);
  return { world, issue, dev, id: world.startNext().id };
}

const tokens = (world: TaskWorld) => all(world.ctx.db, "SELECT id FROM token");

describe("before the run", () => {
  it("renews the lease of a dispatched or waiting task on its own runtime only", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const id = world.claim()?.id ?? "";
    await world.clock.advance(15_000);
    expect(world.tx((tx) => prepareLease(tx, world.runtimeId, id)).prepare_lease_expires_at).toBe(world.clock.now() + 45_000);
    expect(() => world.tx((tx) => prepareLease(tx, "other", id))).toThrow("task not found");
    expect(world.tx((tx) => waitLocalDirectory(tx, id, "busy"))).toMatchObject({ status: "waiting_local_directory", wait_reason: "busy" });
    expect(() => world.tx((tx) => waitLocalDirectory(tx, id, "busy"))).toThrow("waiting_local_directory");
    world.tx((tx) => prepareLease(tx, world.runtimeId, id));
    expect(world.tx((tx) => startTask(tx, id))).toMatchObject({ status: "running", wait_reason: null, prepare_lease_expires_at: null });
    expect(() => world.tx((tx) => prepareLease(tx, world.runtimeId, id))).toThrow("status running");
    expect(() => world.tx((tx) => startTask(tx, id))).toThrow("status running");
  });

  it("does not start a task that was cancelled or was never handed out", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const id = world.tasks()[0]?.id ?? "";
    expect(() => world.tx((tx) => startTask(tx, id))).toThrow("status queued");
    world.tx((tx) => cancelTask(tx, id, world.member));
    expect(() => world.tx((tx) => startTask(tx, id))).toThrow("status cancelled");
    expect(() => world.tx((tx) => startTask(tx, "nothing"))).toThrow("task not found");
  });
});

describe("pinSession", () => {
  it("merges what it hears and never blanks what it knows", async () => {
    const { world, id } = await started();
    world.tx((tx) => pinSession(tx, id, { session_id: "S" }));
    world.tx((tx) => pinSession(tx, id, { session_id: "", work_dir: "/w" }));
    expect(world.task(id)).toMatchObject({ session_id: "S", work_dir: "/w", session_runtime_id: world.runtimeId });
    world.tx((tx) => completeTask(tx, id, { output: "", session_id: "", work_dir: "" }));
    expect(world.task(id)).toMatchObject({ session_id: "S", work_dir: "/w" });
    world.tx((tx) => pinSession(tx, id, { session_id: "late" }));
    expect(world.task(id).session_id).toBe("S");
  });

  it("reaches a cancelled run that has no session yet", async () => {
    const { world, id } = await started();
    world.tx((tx) => cancelTask(tx, id, world.member));
    world.tx((tx) => pinSession(tx, id, { session_id: "S" }));
    world.tx((tx) => pinSession(tx, id, { session_id: "T" }));
    expect(world.task(id).session_id).toBe("S");
  });
});

describe("completeTask", () => {
  it("ends the run once: a second report changes nothing", async () => {
    const { world, issue, id } = await started();
    const facts = { session_id: "S", work_dir: "/w", branch_name: "b", pr_url: "https://pr" };
    const first = world.tx((tx) => completeTask(tx, id, { output: "fixed", ...facts }));
    expect(first).toMatchObject({ status: "completed", completed_at: world.clock.now(), branch_name: "b" });
    expect(JSON.parse(first.result ?? "")).toEqual({ output: "fixed", pr_url: "https://pr" });
    await world.clock.advance(5000);
    expect(world.tx((tx) => completeTask(tx, id, { output: "other", session_id: "T" }))).toEqual(first);
    expect(world.tx((tx) => failTask(tx, id, { error: "no" }))).toEqual(first);
    expect(world.comments(issue)).toHaveLength(1);
    expect(tokens(world)).toEqual([]);
    expect(world.load<IssueRow>("issue", issue.id).status).toBe("todo");
  });

  it("does not complete what never ran", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const id = world.claim()?.id ?? "";
    expect(world.tx((tx) => completeTask(tx, id, { output: "x" })).status).toBe("dispatched");
  });

  it("writes the final text as a comment only when the agent wrote none", async () => {
    const { world, issue, id, dev } = await started();
    world.comment(issue, "working on it", {}, { type: "agent", userId: world.userId, agentId: dev, taskId: id });
    world.tx((tx) => completeTask(tx, id, { output: "fixed" }));
    expect(world.comments(issue).map((comment) => comment.content)).toEqual(["working on it"]);
  });

  it("answers a comment in its thread, redacted, and drops a bare acknowledgement", async () => {
    const { world, issue, id } = await started();
    world.tx((tx) => completeTask(tx, id, { output: "" }));
    for (const output of ["Done.", "see\\nbelow: ghp_abcdefghijklmnopqrstuvwxyz0123"]) {
      const trigger = world.comment(issue, "please");
      const task = world.startNext();
      world.tx((tx) => completeTask(tx, task.id, { output }));
      const last = world.comments(issue).at(-1);
      if (output === "Done.") expect(last?.id).toBe(trigger.id);
      else expect(last).toMatchObject({ content: "see\nbelow: [REDACTED]", parent_id: trigger.id, source_task_id: task.id, author_type: "agent" });
    }
  });

  it("records a notice that the conversation is too long as the failure it is", async () => {
    const { world, id } = await started();
    const row = world.tx((tx) => completeTask(tx, id, { output: "Prompt is too long and cannot be compacted", session_id: "S" }));
    expect(row).toMatchObject({ status: "failed", failure_reason: "agent_error.context_overflow" });
  });
});

describe("failTask", () => {
  it("classifies, writes to the issue and leaves its status when there is no retry", async () => {
    const { world, issue, id } = await started();
    world.set("issue", issue.id, { status: "in_progress" });
    const row = world.tx((tx) => failTask(tx, id, { error: "API Error: 429 slow down" }));
    expect(row).toMatchObject({ status: "failed", failure_reason: "agent_error.provider_capacity_or_rate_limit" });
    expect(world.tasks()).toHaveLength(1);
    expect(world.comments(issue)).toMatchObject([{ author_type: "system", content: expect.stringContaining("429 slow down") }]);
    expect(world.load<IssueRow>("issue", issue.id).status).toBe("in_progress");
    expect(tokens(world)).toEqual([]);
    expect(world.tx((tx) => failTask(tx, id, { error: "again" }))).toEqual(row);
  });

  it("tries again with the same session after a failure that passes, then gives up", async () => {
    const { world, issue, id } = await started();
    world.tx((tx) => pinSession(tx, id, { session_id: "S", work_dir: "/w" }));
    world.tx((tx) => failTask(tx, id, { error: "x", failure_reason: "timeout" }));
    expect(world.comments(issue)).toEqual([]);
    const retry = world.claim();
    expect(retry).toMatchObject({ attempt: 2, parent_task_id: id, prior_session_id: "S", prior_work_dir: "/w", kind: "direct" });
    world.tx((tx) => failTask(tx, retry?.id ?? "", { error: "x", failure_reason: "timeout" }));
    expect(world.tasks()).toHaveLength(2);
    expect(world.comments(issue)).toHaveLength(1);
  });

  it("starts fresh in the same directory when the session itself is stuck", async () => {
    const { world, id } = await started();
    world.tx((tx) => failTask(tx, id, { error: "x", failure_reason: "codex_semantic_inactivity", session_id: "S", work_dir: "/w" }));
    const retry = world.claim();
    expect(retry).toMatchObject({ attempt: 2, prior_work_dir: "/w" });
    expect(retry).not.toHaveProperty("prior_session_id");
  });

  it("lets a waiting follow-up take the retry's place, with both runs' comments", async () => {
    const { world, issue, id } = await started();
    world.tx((tx) => failTask(tx, id, { error: "done with it", failure_reason: "agent_blocked" }));
    const first = world.comment(issue, "one");
    const run = world.startNext();
    const second = world.comment(issue, "two");
    world.tx((tx) => failTask(tx, run.id, { error: "x", failure_reason: "timeout", session_id: "S" }));
    expect(world.tasks(issue).map((task) => task.status)).toEqual(["failed", "failed", "queued"]);
    expect(world.claim()).toMatchObject({ attempt: 2, delivered_comment_ids: [first.id, second.id], prior_session_id: "S" });
  });
});

describe("recoverOrphans", () => {
  it("fails what the runtime held and queues retries, leaving the queue and others alone", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const once = world.issue(dev);
    world.issue(dev);
    world.issue(dev);
    const running = world.startNext();
    world.tx((tx) => pinSession(tx, running.id, { session_id: "S", work_dir: "/w" }));
    world.set("task", running.id, { max_attempts: 1 });
    world.set("issue", once.id, { status: "in_progress" });
    world.claim();
    expect(world.tx((tx) => recoverOrphans(tx, world.runtimeId))).toEqual({ orphaned: 2, retried: 1 });
    expect(world.tasks().map((task) => task.status)).toEqual(["failed", "failed", "queued", "queued"]);
    expect(world.task(running.id)).toMatchObject({ failure_reason: "runtime_recovery", error: "daemon restarted while task was in flight" });
    expect(world.load<IssueRow>("issue", once.id).status).toBe("todo");
    expect(world.tx((tx) => recoverOrphans(tx, world.runtimeId))).toEqual({ orphaned: 0, retried: 0 });
  });
});

describe("acknowledgeCancel", () => {
  it("fills the gaps of a cancelled row and touches no other", async () => {
    const { world, id } = await started();
    world.tx((tx) => acknowledgeCancel(tx, id, { branch_name: "b" }));
    expect(world.task(id).branch_name).toBeNull();
    world.tx((tx) => cancelTask(tx, id, world.member));
    world.tx((tx) => acknowledgeCancel(tx, id, { branch_name: "b", error_message: "stopped" }));
    world.tx((tx) => acknowledgeCancel(tx, id, { branch_name: "c", durable_work_dir: "/d" }));
    expect(world.task(id)).toMatchObject({ branch_name: "b", error: "stopped", durable_work_dir: "/d", status: "cancelled" });
    expect(world.tx((tx) => completeTask(tx, id, { output: "late" })).status).toBe("cancelled");
  });
});

describe("resume", () => {
  it("continues the last good session of the same agent and issue", async () => {
    const { world, issue, id } = await started();
    world.tx((tx) => completeTask(tx, id, { output: "", session_id: "S", work_dir: "/w" }));
    world.comment(issue, "more");
    expect(world.claim()).toMatchObject({ prior_session_id: "S", prior_work_dir: "/w" });
  });

  it("says that a newer session is lost when its file is missing or it was retired", async () => {
    const { world, issue, id } = await started();
    world.tx((tx) => completeTask(tx, id, { output: "", session_id: "S", work_dir: "/w", session_rollout_missing: true }));
    world.comment(issue, "more");
    const next = world.claim();
    expect(next).toMatchObject({ prior_session_resume_unavailable: true });
    expect(next).not.toHaveProperty("prior_session_id");
    world.tx((tx) => startTask(tx, next?.id ?? ""));
    world.tx((tx) => completeTask(tx, next?.id ?? "", { output: "", session_id: "T", retired_session_id: "S" }));
    world.comment(issue, "and more");
    expect(world.claim()).toMatchObject({ prior_session_id: "T" });
  });
});

describe("records", () => {
  it("keeps messages by their number, redacted, also after the end, and replaces usage", async () => {
    const { world, id } = await started();
    world.tx((tx) => recordMessages(tx, id, [{ seq: 1, type: "text", content: "a" }, { seq: 2, type: "tool_use", tool: "sh", input: { cmd: "export TOKEN=abcdefgh" } }]));
    world.tx((tx) => completeTask(tx, id, { output: "" }));
    world.tx((tx) => recordMessages(tx, id, [{ seq: 1, type: "text", content: "b" }]));
    expect(listMessages(world.ctx.db, id, 0)).toMatchObject([
      { seq: 1, content: "b" },
      { seq: 2, tool: "sh", input: { cmd: "export TOKEN=[REDACTED]" } },
    ]);
    expect(listMessages(world.ctx.db, id, 1)).toHaveLength(1);
    const usage = { provider: "Codex", model: "m", input_tokens: 1, output_tokens: 2, cache_read_tokens: 3, cache_write_tokens: 4 };
    world.tx((tx) => recordUsage(tx, id, [usage]));
    world.tx((tx) => recordUsage(tx, id, [{ ...usage, input_tokens: 9 }]));
    expect(all(world.ctx.db, "SELECT provider, input_tokens FROM task_usage")).toEqual([{ provider: "codex", input_tokens: 9 }]);
  });
});
