import { describe, expect, it, onTestFinished } from "vitest";
import { one } from "../../../src/lib/server/db/query.ts";
import { prepareLease, waitLocalDirectory } from "../../../src/lib/server/services/tasks/lifecycle.ts";
import { type Sweeper, startSweeper } from "../../../src/lib/server/services/tasks/sweeper.ts";
import { type TaskWorld, taskWorld } from "../../support/task-world.ts";

const MINUTE = 60_000;

function sweeping(world: TaskWorld): Sweeper {
  const sweeper = startSweeper(world.ctx);
  onTestFinished(() => sweeper.stop());
  return sweeper;
}

/** Lets time pass with the daemon's heartbeats in it. */
async function alive(world: TaskWorld, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += MINUTE) {
    world.beat();
    await world.clock.advance(Math.min(MINUTE, ms - passed));
  }
}

describe("sweeper", () => {
  it("marks a silent runtime offline and brings it back with a beat that announces waiting work", async () => {
    const world = await taskWorld();
    sweeping(world);
    await world.clock.advance(140_000);
    expect(world.runtime().status).toBe("online");
    await world.clock.advance(40_000);
    expect(world.runtime().status).toBe("offline");
    world.issue(world.agent("Dev"));
    world.events.length = 0;
    world.beat();
    expect(world.runtime().status).toBe("online");
    expect(world.events).toHaveLength(1);
  });

  it("fails a task that was handed out and never started, and retries it once", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const id = world.claim()?.id ?? "";
    sweeping(world);
    await alive(world, 5 * MINUTE);
    expect(world.task(id).status).toBe("dispatched");
    await alive(world, MINUTE);
    expect(world.task(id)).toMatchObject({ status: "failed", failure_reason: "timeout", error: "task timed out" });
    expect(world.tasks()[1]).toMatchObject({ status: "queued", attempt: 2, parent_task_id: id });
  });

  it("never times out a run while its daemon beats, nor a task that waits for a directory", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    world.issue(dev);
    world.issue(dev);
    world.startNext();
    const waiting = world.claim();
    world.tx((tx) => waitLocalDirectory(tx, waiting?.id ?? "", "busy"));
    sweeping(world);
    await alive(world, 200 * MINUTE);
    expect(world.tasks().map((task) => task.status)).toEqual(["running", "waiting_local_directory"]);
  });

  it("gives a vanished daemon the grace, then fails what it held and retries", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const run = world.startNext();
    sweeping(world);
    await world.clock.advance(14 * MINUTE);
    expect(world.task(run.id).status).toBe("running");
    await world.clock.advance(2 * MINUTE);
    expect(world.task(run.id)).toMatchObject({ status: "failed", failure_reason: "runtime_offline", error: "runtime went offline" });
    expect(world.tasks()).toHaveLength(2);
    await world.clock.advance(12 * 60 * MINUTE);
    expect(world.tasks()[1]).toMatchObject({ status: "deferred", attempt: 2 });
    world.events.length = 0;
    world.beat();
    expect(world.tasks()[1]?.status).toBe("queued");
    expect(world.events).toContainEqual({ type: "task_available", runtimeId: world.runtimeId, taskId: world.tasks()[1]?.id });
    expect(world.claim()).toMatchObject({ attempt: 2, parent_task_id: run.id });
  });

  it("does not take a night of sleep for the death of a daemon", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    world.issue(dev);
    world.issue(dev);
    const run = world.startNext();
    const handedOut = world.claim()?.id ?? "";
    const before = sweeping(world);
    await alive(world, 4 * MINUTE);
    world.tx((tx) => prepareLease(tx, world.runtimeId, handedOut));
    before.stop();
    await world.clock.advance(8 * 60 * MINUTE);
    // The server wakes first: its timer is due at once, the daemon's heartbeat is not.
    before.sweep();
    expect([world.task(run.id).status, world.task(handedOut).status, world.runtime().status]).toEqual(["running", "dispatched", "online"]);
    // The same for a server that was down: it has a new sweeper.
    const after = sweeping(world);
    await world.clock.advance(MINUTE);
    expect(world.task(run.id).status).toBe("running");
    await world.clock.advance(15 * MINUTE);
    expect([world.task(run.id).failure_reason, world.runtime().status]).toEqual(["runtime_offline", "offline"]);
    after.stop();
  });

  it("fails a run whose runtime row is gone", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const run = world.startNext();
    sweeping(world);
    world.ctx.db.exec("DELETE FROM agent_runtime");
    await world.clock.advance(16 * MINUTE);
    expect(world.task(run.id)).toMatchObject({ status: "failed", failure_reason: "runtime_offline" });
  });

  it("lets the queue expire only while its runtime has been online all the time", async () => {
    const world = await taskWorld();
    world.issue(world.agent("Dev"));
    const [task] = world.tasks();
    const sweeper = sweeping(world);
    await alive(world, 100 * MINUTE);
    // The machine sleeps: no sweep, no beat; then both come back at once.
    sweeper.stop();
    await world.clock.advance(10 * 60 * MINUTE);
    world.beat();
    sweeper.sweep();
    expect(world.task(task?.id ?? "").status).toBe("queued");
    const awake = sweeping(world);
    await alive(world, 119 * MINUTE);
    expect(world.task(task?.id ?? "").status).toBe("queued");
    await alive(world, 3 * MINUTE);
    expect(world.task(task?.id ?? "")).toMatchObject({ status: "failed", failure_reason: "queued_expired" });
    awake.stop();
  });

  it("deletes a runtime after a week of silence, unless an agent is bound to it", async () => {
    const world = await taskWorld();
    const dev = world.agent("Dev");
    const sweeper = sweeping(world);
    await world.clock.advance(180_000);
    sweeper.stop();
    await world.clock.advance(8 * 24 * 60 * MINUTE);
    sweeper.sweep();
    expect(world.runtime().status).toBe("offline");
    world.set("agent", dev, { archived_at: 1 });
    sweeper.sweep();
    expect(one(world.ctx.db, "SELECT id FROM agent_runtime")).toBeUndefined();
  });

  it("goes on with its other steps when one fails", async () => {
    const world = await taskWorld();
    const id = world.issue(world.agent("Dev")).id;
    world.claim();
    const sweeper = sweeping(world);
    await world.clock.advance(301_000);
    world.ctx.db.exec("CREATE TRIGGER broken BEFORE UPDATE ON agent_runtime BEGIN SELECT RAISE(FAIL, 'no'); END");
    world.set("task", world.tasks()[0]?.id ?? "", { prepare_lease_expires_at: null });
    sweeper.sweep();
    expect(world.tasks().filter((task) => task.issue_id === id && task.failure_reason === "timeout")).toHaveLength(1);
  });
});
