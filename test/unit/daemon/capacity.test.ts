import { describe, expect, it } from "vitest";
import { ClaimBarrier } from "../../../src/lib/daemon/barrier.ts";
import { createDispatcher } from "../../../src/lib/daemon/dispatcher.ts";
import { Slots } from "../../../src/lib/daemon/slots.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { Task } from "../../../src/lib/wire/index.ts";

const task = (id: string): Task => ({ id, agent_id: "a", runtime_id: "r", workspace_id: "w", status: "dispatched" }) as Task;

describe("Slots", () => {
  it("gives the lowest free index, each once, and takes it back", () => {
    const slots = new Slots(20);
    expect(slots.takeFree(50)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(slots.tryTake()).toBeNull();
    slots.release(7);
    slots.release(3);
    expect(slots.freeCount).toBe(2);
    expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([3, 7, null]);
  });

  it("ignores a slot given back twice or never taken", () => {
    const slots = new Slots(1);
    slots.release(0);
    slots.release(9);
    expect(slots.takeFree(9)).toEqual([0]);
    slots.release(0);
    slots.release(0);
    expect(slots.freeCount).toBe(1);
  });

  it("has at least one slot and tells listeners about a release until they leave", () => {
    const slots = new Slots(0);
    expect(slots.count).toBe(1);
    let told = 0;
    const leave = slots.onRelease(() => (told += 1));
    slots.tryTake();
    slots.release(0);
    leave();
    slots.tryTake();
    slots.release(0);
    expect(told).toBe(1);
  });
});

describe("ClaimBarrier", () => {
  it("is refused while a claim is under way or a task is active, between answer and dispatch too", () => {
    const barrier = new ClaimBarrier();
    expect(barrier.tryEnterClaim()).toBe(true);
    expect(barrier.trySetBarrier()).toBe(false);
    barrier.taskStarted();
    barrier.exitClaim();
    expect(barrier.trySetBarrier()).toBe(false);
    barrier.taskEnded();
    expect(barrier.trySetBarrier()).toBe(true);
    expect(barrier.trySetBarrier()).toBe(false);
  });

  it("keeps claims out until it is given back", () => {
    const barrier = new ClaimBarrier();
    barrier.trySetBarrier();
    expect(barrier.tryEnterClaim()).toBe(false);
    barrier.releaseBarrier();
    expect(barrier.tryEnterClaim()).toBe(true);
    expect(barrier.claimsInFlight).toBe(1);
  });
});

describe("the dispatcher", () => {
  const parts = () => {
    const slots = new Slots(2);
    const barrier = new ClaimBarrier();
    const clock = new HeldClock();
    const woken = { count: 0 };
    return { slots, barrier, clock, woken, logger: silentLogger, wake: () => void (woken.count += 1) };
  };

  it("gives slot and count back and wakes the claim loop when a task ends, also when it throws", async () => {
    const p = parts();
    const dispatcher = createDispatcher(p, (_task, slot) => (slot === 0 ? Promise.resolve() : Promise.reject(new Error("broken"))));
    for (const id of ["one", "two"]) dispatcher.dispatch(task(id), p.slots.tryTake() ?? -1);
    expect(p.barrier.activeTasks).toBe(2);
    expect(dispatcher.usesRuntime("r")).toBe(true);
    expect(await dispatcher.drain(1000)).toBe(true);
    expect([p.slots.freeCount, p.barrier.activeTasks, p.woken.count, dispatcher.size]).toEqual([2, 0, 2, 0]);
    expect(dispatcher.usesRuntime("r")).toBe(false);
  });

  it("waits for tasks no longer than it is told", async () => {
    const p = parts();
    const end = Promise.withResolvers<void>();
    const dispatcher = createDispatcher(p, () => end.promise);
    dispatcher.dispatch(task("one"), p.slots.tryTake() ?? -1);
    const drained = dispatcher.drain(30_000);
    await p.clock.advance(30_000);
    expect(await drained).toBe(false);
    end.resolve();
    expect(await dispatcher.drain(30_000)).toBe(true);
    expect(p.clock.pending).toBe(0);
  });
});
