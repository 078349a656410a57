import { describe, expect, it } from "vitest";
import { sha256Hex, uuid } from "../../../src/lib/core/index.ts";
import { all, insert, one, update } from "../../../src/lib/server/db/query.ts";
import type { TokenRow } from "../../../src/lib/server/rows/index.ts";
import { MAX_CLAIM, claimBatch, claimNext } from "../../../src/lib/server/services/tasks/claim.ts";
import { completeTask } from "../../../src/lib/server/services/tasks/complete.ts";
import { prepareLease, waitLocalDirectory } from "../../../src/lib/server/services/tasks/lifecycle.ts";
import { type TaskWorld, taskWorld } from "../../support/task-world.ts";

const CAPABILITIES = new Set(["coalesced-comments-v1"]);
const claimAll = (world: TaskWorld, max: number, runtimes = [world.runtimeId]) => claimBatch(world.ctx, runtimes, max, CAPABILITIES);

describe("claimNext", () => {
  it("hands a task out with everything a daemon needs, and a token of its own that is stored as a hash", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev", { instructions: "be kind", custom_env: '{"A":"1"}', custom_args: '["-x"]', model: "m1", max_concurrent_tasks: 2 });
    update(world.ctx.db, "workspace", world.workspaceId, { context: "we test", repos: '[{"url":"/r","ref":"main"}]' });
    const parent = world.issue(null);
    const issue = world.issue(dev, { priority: "urgent", parent_issue_id: parent.id });
    const task = world.claim();
    expect(task).toMatchObject({
      agent_id: dev,
      runtime_id: world.runtimeId,
      workspace_id: world.workspaceId,
      issue_id: issue.id,
      status: "dispatched",
      priority: 4,
      kind: "direct",
      attempt: 1,
      max_attempts: 2,
      workspace_context: "we test",
      requesting_user_name: "Ada",
      initiator_type: "member",
      initiator_name: "Ada",
      initiator_email: "ada@local",
      repos: [{ url: "/r", ref: "main" }],
      agent: { id: dev, name: "Dev", instructions: "be kind", custom_env: { A: "1" }, custom_args: ["-x"], model: "m1" },
      parent_issue_id: parent.id,
      parent_issue_identifier: "LOCA-1",
      leader_role_resolved: true,
    });
    expect(task?.auth_token).toMatch(/^mat_[0-9a-f]{40}$/);
    const token = one<TokenRow>(world.ctx.db, "SELECT * FROM token WHERE kind = 'task'");
    expect(token).toMatchObject({ hash: sha256Hex(task?.auth_token ?? ""), agent_id: dev, task_id: task?.id, user_id: world.userId });
    expect(token?.expires_at).toBe(world.clock.now() + 24 * 3_600_000);
    expect(world.task(task?.id ?? "")).toMatchObject({ dispatched_at: world.clock.now(), prepare_lease_expires_at: world.clock.now() + 45_000 });
    expect(world.claim()).toBeNull();
  });

  it("takes the most urgent task first, then the oldest", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev", { max_concurrent_tasks: 9 });
    const issues = ["low", "none", "urgent", "low"].map((priority) => world.issue(dev, { priority }).id);
    await world.clock.advance(1);
    const claimed = claimAll(world, 9).map((task) => task.issue_id);
    expect(claimed).toEqual([issues[2], issues[0], issues[3], issues[1]]);
  });

  it("keeps within the agent's concurrency, a waiting task included", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev", { max_concurrent_tasks: 2 });
    for (let count = 0; count < 3; count += 1) world.issue(dev);
    const [first] = claimAll(world, 9);
    world.tx((tx) => waitLocalDirectory(tx, first?.id ?? "", "busy"));
    expect(world.claim()).toBeNull();
    expect(world.tasks().filter((task) => task.status === "queued")).toHaveLength(1);
  });

  it("runs two agents on one issue at once, but never one agent twice", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const issue = world.issue(dev);
    world.comment(issue, `[@O](mention://agent/${world.agent("Other")})`);
    expect(claimAll(world, 9)).toHaveLength(2);
    for (const task of world.tasks()) world.set("task", task.id, { status: "running", started_at: world.clock.now() });
    world.comment(issue, "more");
    expect(world.tasks(issue)).toHaveLength(3);
    expect(world.claim()).toBeNull();
  });

  it("costs no more with thousands of tasks waiting and thousands done than with a few", async () => {
    const quickest = async (tasks: number): Promise<number> => {
      const world = await taskWorld();
      world.ctx.db.exec("PRAGMA synchronous = OFF");
      const dev = world.agent("Dev", { max_concurrent_tasks: 100 });
      const at = { created_at: world.clock.now(), updated_at: world.clock.now() };
      world.tx((tx) => {
        for (let number = 1; number <= tasks; number += 1) {
          const issue = { id: uuid(), workspace_id: world.workspaceId, number, title: "x", status: "todo", priority: "none", creator_type: "member", creator_id: world.userId, ...at };
          insert(tx.db, "issue", issue);
          const task = { agent_id: dev, runtime_id: world.runtimeId, workspace_id: world.workspaceId, issue_id: issue.id, originator_user_id: world.userId, ...at };
          for (const status of ["queued", "completed"]) insert(tx.db, "task", { ...task, id: uuid(), status });
        }
      });
      const times = Array.from({ length: 20 }, () => {
        const begin = performance.now();
        expect(world.claim()).not.toBeNull();
        return performance.now() - begin;
      });
      return Math.min(...times);
    };
    // Proportional to the number of tasks it would be a hundred times as much.
    expect(await quickest(4000)).toBeLessThan(10 * (await quickest(40)));
  });

  it("gives nothing to a runtime that is offline, silent or unknown, nor for another runtime", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const other = uuid();
    world.insertRuntime(other, "D2", "acp");
    expect(world.claim(other)).toBeNull();
    expect(world.claim(uuid())).toBeNull();
    world.set("agent_runtime", world.runtimeId, { status: "offline" });
    expect(world.claim()).toBeNull();
    world.beat();
    await world.clock.advance(150_000);
    expect(world.claim()).toBeNull();
    world.beat();
    expect(world.claim()).not.toBeNull();
  });

  it("delivers a task again when its daemon never began with it, before anything else", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    world.issue(dev);
    const first = world.claim();
    await world.clock.advance(1);
    world.issue(dev, { priority: "urgent" });
    await world.clock.advance(80_000);
    world.tx((tx) => prepareLease(tx, world.runtimeId, first?.id ?? ""));
    await world.clock.advance(20_000);
    expect(world.claim()?.priority).toBe(4);
    await world.clock.advance(30_000);
    world.issue(dev, { priority: "urgent" });
    const again = world.claim();
    expect(again?.id).toBe(first?.id);
    expect(again?.auth_token).not.toBe(first?.auth_token);
    expect(world.task(again?.id ?? "")).toMatchObject({ status: "dispatched", dispatched_at: world.clock.now() });
  });

  it("cancels a task whose agent and issue belong to different workspaces", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const now = world.clock.now();
    const foreign = uuid();
    world.ctx.db
      .prepare("INSERT INTO workspace (id, name, slug, issue_prefix, created_at, updated_at) VALUES (:id, 'x', 'x', 'X', :now, :now)")
      .run({ id: foreign, now });
    world.set("issue", issue.id, { workspace_id: foreign });
    expect(claimNext(world.ctx, world.runtimeId, CAPABILITIES)).toMatchObject({ kind: "cancelled" });
    expect(world.tasks()[0]?.status).toBe("cancelled");
    expect(all(world.ctx.db, "SELECT id FROM token")).toEqual([]);
  });

  it("cancels a task of a runtime that nobody owns", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    world.set("agent_runtime", world.runtimeId, { owner_id: null });
    expect(claimNext(world.ctx, world.runtimeId, CAPABILITIES)).toMatchObject({ message: "runtime owner required to mint task token" });
  });

  it("puts a task back whose payload cannot be built, and goes on with the others", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    world.issue(dev, { priority: "high" });
    world.issue(dev);
    const [broken] = world.tasks();
    // A workspace that cannot be read is the kind of failure that passes.
    world.ctx.db.exec("PRAGMA foreign_keys=OFF");
    world.set("task", broken?.id ?? "", { workspace_id: uuid() });
    expect(claimAll(world, 9).map((task) => task.priority)).toEqual([0]);
    expect(world.task(broken?.id ?? "")).toMatchObject({ status: "queued", dispatched_at: null, prepare_lease_expires_at: null });
  });
});

describe("claimBatch", () => {
  it("asks the runtimes in turn", async () => {
    const world = await taskWorld();
    const second = uuid();
    world.insertRuntime(second, "D", "acp");
    for (let count = 0; count < 3; count += 1) world.issue(world.agent(`a${count}`));
    world.issue(world.agent("b", { runtime_id: second }));
    expect(claimAll(world, 2, [world.runtimeId, second]).map((task) => task.runtime_id)).toEqual([world.runtimeId, second]);
    expect(claimAll(world, 9, [world.runtimeId, second, second])).toHaveLength(2);
  });

  it("hands out no more than 32 of 33", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev", { max_concurrent_tasks: 50 });
    for (let count = 0; count < 33; count += 1) world.issue(dev);
    expect(claimAll(world, 33)).toHaveLength(MAX_CLAIM);
    expect(claimAll(world, 0)).toEqual([]);
    expect(claimAll(world, 33)).toHaveLength(1);
  });
});

describe("comments of a claim", () => {
  it("carries the merged comments oldest first, and how much is new since the last run", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const first = world.startNext();
    await world.clock.advance(1000);
    world.tx((tx) => completeTask(tx, first.id, { output: "all done now" }));
    const one = world.comment(issue, "one");
    await world.clock.advance(1000);
    const two = world.comment(issue, "two");
    expect(world.claim()).toMatchObject({
      kind: "comment",
      trigger_comment_id: two.id,
      trigger_comment_content: "two",
      trigger_thread_id: two.id,
      trigger_author_type: "member",
      trigger_author_name: "Ada",
      coalesced_comments: [{ id: one.id, content: "one", author_name: "Ada" }],
      delivered_comment_ids: [one.id, two.id],
      new_comment_count: 2,
      new_comments_since: "2026-01-01T00:00:00Z",
    });
  });

  it("folds them into the trigger for a daemon that does not know them", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    world.comment(issue, "one");
    world.comment(issue, "two");
    const task = world.claim(world.runtimeId, []);
    expect(task?.trigger_comment_content).toBe("Ada: one\n\ntwo");
    expect(task).not.toHaveProperty("coalesced_comments");
  });

  it("always brings the trigger and leaves out what exceeds the budget", async () => {
    const world = await taskWorld();
    const issue = world.issue(world.agent("Dev"));
    const small = world.comment(issue, "small");
    world.comment(issue, "x".repeat(400_000));
    const trigger = world.comment(issue, "y".repeat(200_000));
    const task = world.claim();
    expect(task?.trigger_comment_content).toHaveLength(200_000);
    expect(task?.delivered_comment_ids).toEqual([small.id, trigger.id]);
    expect(task?.coalesced_comment_ids).toHaveLength(2);
  });
});
