import { afterEach, describe, expect, it } from "vitest";
import { ClaimBarrier } from "../../../src/lib/daemon/barrier.ts";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { ClaimLoop } from "../../../src/lib/daemon/loops/claim.ts";
import { startOffset } from "../../../src/lib/daemon/loops/claim-single.ts";
import type { ClaimAnswer } from "../../../src/lib/daemon/loops/claim-answer.ts";
import type { ClaimParts } from "../../../src/lib/daemon/loops/claim-steps.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { Slots } from "../../../src/lib/daemon/slots.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { Task } from "../../../src/lib/wire/index.ts";

const task = (id: string): Task => ({ id, agent_id: "a", runtime_id: "r1", workspace_id: "w", status: "dispatched" }) as Task;
const tasks = (...ids: string[]): ClaimAnswer => ({ kind: "tasks", tasks: ids.map(task) });
const NONE = tasks();

/** A claim loop on a held clock; the test answers its requests. */
class World {
  readonly clock = new HeldClock();
  readonly root = new AbortController();
  readonly runtimes = new RuntimeRegistry();
  readonly slots: Slots;
  readonly barrier = new ClaimBarrier();
  readonly batches: { ids: readonly string[]; max: number }[] = [];
  readonly ways: { way: string; at: number }[] = [];
  socket = false;
  readonly singles: string[] = [];
  readonly dispatched: { id: string; slot: number }[] = [];
  readonly gone: string[] = [];
  readonly inside = new Set<string>();
  onBatch: (max: number, signal: AbortSignal) => Promise<ClaimAnswer> = () => Promise.resolve(NONE);
  onSingle: (id: string) => Promise<ClaimAnswer> = () => Promise.resolve(NONE);
  readonly loop: ClaimLoop;
  readonly ended: Promise<void>;

  constructor(options: { slots?: number; pollMs?: number; runtimes?: string[] } = {}) {
    this.slots = new Slots(options.slots ?? 3);
    this.runtimes.track("w", "W");
    this.setRuntimes(options.runtimes ?? ["r1"]);
    const parts: ClaimParts = {
      clock: this.clock,
      limits: LIMITS,
      logger: silentLogger,
      slots: this.slots,
      barrier: this.barrier,
      runtimes: this.runtimes,
      rootSignal: this.root.signal,
      pollIntervalMs: options.pollMs ?? 30_000,
      overSocket: () => this.socket,
      claimBatch: (ids, max, signal, way) => {
        this.batches.push({ ids, max });
        this.ways.push({ way, at: this.clock.monotonic() });
        return this.onBatch(max, signal);
      },
      claimSingle: (id) => {
        this.singles.push(id);
        return this.onSingle(id);
      },
      runtimeGone: (id) => void this.gone.push(id),
      isInside: (id) => this.inside.has(id),
      record: () => undefined,
      dispatch: (claimed, slot) => {
        this.barrier.taskStarted();
        this.dispatched.push({ id: claimed.id, slot });
      },
    };
    this.loop = new ClaimLoop(parts);
    this.ended = this.loop.run();
  }

  setRuntimes(ids: readonly string[]): void {
    this.runtimes.replace("w", ids.map((id) => ({ id, name: id, provider: id, profileId: null })));
    this.runtimes.changes.notify();
  }

  /** A task's pipeline ends. */
  finish(slot: number): void {
    this.slots.release(slot);
    this.barrier.taskEnded();
    this.loop.wake();
  }
}

let world: World;
afterEach(async () => {
  world.root.abort();
  await world.ended;
  expect(world.clock.pending).toBe(0);
});

describe("batch claims", () => {
  it("asks for as many tasks as there are free slots, and not again while all are taken", async () => {
    world = new World({ slots: 3 });
    world.onBatch = () => Promise.resolve(tasks("1", "2", "3"));
    await world.clock.advance(0);
    expect(world.batches).toEqual([{ ids: ["r1"], max: 3 }]);
    expect(world.dispatched).toEqual([{ id: "1", slot: 0 }, { id: "2", slot: 1 }, { id: "3", slot: 2 }]);
    await world.clock.advance(60_000);
    world.loop.wake();
    await world.clock.advance(0);
    expect(world.batches).toHaveLength(1);
    world.onBatch = () => Promise.resolve(NONE);
    world.finish(1);
    await world.clock.advance(0);
    expect(world.batches).toHaveLength(2);
    expect(world.batches[1]).toEqual({ ids: ["r1"], max: 1 });
  });

  it("gives unused slots back and waits for the timer or a wake-up", async () => {
    world = new World({ slots: 3 });
    world.onBatch = () => Promise.resolve(tasks("1"));
    await world.clock.advance(0);
    expect(world.slots.freeCount).toBe(2);
    world.onBatch = () => Promise.resolve(NONE);
    await world.clock.advance(29_999);
    expect(world.batches).toHaveLength(1);
    await world.clock.advance(1);
    expect(world.batches).toHaveLength(2);
    world.loop.wake("some other runtime");
    await world.clock.advance(0);
    expect(world.batches).toHaveLength(3);
    expect(world.barrier.claimsInFlight).toBe(0);
  });

  it("keeps one wake-up that comes while it asks, and drops the others", async () => {
    world = new World();
    const answer = Promise.withResolvers<ClaimAnswer>();
    world.onBatch = () => answer.promise;
    await world.clock.advance(0);
    for (let index = 0; index < 5; index += 1) world.loop.wake();
    world.onBatch = () => Promise.resolve(NONE);
    answer.resolve(NONE);
    await world.clock.advance(0);
    expect(world.batches).toHaveLength(2);
  });

  it("sends no claim while the barrier is held", async () => {
    world = new World({ runtimes: [] });
    expect(world.barrier.trySetBarrier()).toBe(true);
    world.setRuntimes(["r1"]);
    await world.clock.advance(60_000);
    expect(world.batches).toEqual([]);
    expect(world.slots.freeCount).toBe(3);
    world.barrier.releaseBarrier();
    await world.clock.advance(30_000);
    expect(world.batches).toHaveLength(1);
  });

  it("sleeps without runtimes and asks at once when one appears", async () => {
    world = new World({ runtimes: [] });
    await world.clock.advance(60_000);
    expect(world.batches).toEqual([]);
    world.setRuntimes(["b", "a"]);
    await world.clock.advance(0);
    expect(world.batches).toEqual([{ ids: ["a", "b"], max: 3 }]);
  });

  it("goes on after a failure and after a request that never answers", async () => {
    world = new World();
    world.onBatch = () => Promise.reject(new Error("refused"));
    await world.clock.advance(0);
    world.onBatch = (_max, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("cut")), { once: true }));
    await world.clock.advance(30_000);
    expect(world.barrier.claimsInFlight).toBe(1);
    await world.clock.advance(5000);
    expect(world.barrier.claimsInFlight).toBe(0);
    expect(world.slots.freeCount).toBe(3);
    await world.clock.advance(30_000);
    expect(world.batches).toHaveLength(3);
  });

  it("reports the runtime of a 404 that names it", async () => {
    world = new World();
    world.onBatch = () => Promise.resolve({ kind: "runtime_gone", runtimeId: "r1" });
    await world.clock.advance(0);
    expect(world.gone).toEqual(["r1"]);
  });

  it("runs no more tasks than it has slots, whatever it is sent", async () => {
    world = new World({ slots: 1 });
    world.onBatch = () => Promise.resolve(tasks("1", "2"));
    await world.clock.advance(0);
    expect(world.dispatched).toEqual([{ id: "1", slot: 0 }]);
  });

  it("leaves a task alone that comes again while it is inside, and gives its slot back", async () => {
    world = new World({ slots: 2 });
    world.inside.add("1");
    world.onBatch = () => Promise.resolve(tasks("1", "2"));
    await world.clock.advance(0);
    expect(world.dispatched).toEqual([{ id: "2", slot: 0 }]);
    expect(world.slots.freeCount).toBe(1);
  });

  it("hands tasks over that arrive although the daemon is stopping", async () => {
    world = new World();
    const answer = Promise.withResolvers<ClaimAnswer>();
    world.onBatch = () => answer.promise;
    await world.clock.advance(0);
    world.root.abort();
    answer.resolve(tasks("1"));
    await world.ended;
    expect(world.dispatched).toEqual([{ id: "1", slot: 0 }]);
    expect(world.barrier.activeTasks).toBe(1);
  });

  it.each([
    [1000, 1000],
    [0, 5000],
    [30_000, 5000],
  ])("with a poll interval of %i ms looks for a slot again after 2 s and %i ms", async (pollMs, pause) => {
    world = new World({ slots: 1, pollMs });
    world.onBatch = () => Promise.resolve(tasks("1"));
    await world.clock.advance(0);
    // Freed without a wake-up: only the look after the pause can see it.
    await world.clock.advance(2000 + pause - 1);
    expect(world.batches).toHaveLength(1);
    world.slots.release(0);
    world.onBatch = () => Promise.resolve(tasks("2"));
    await world.clock.advance(1);
    expect(world.batches).toHaveLength(2);
  });
});

describe("a claim whose outcome nobody knows", () => {
  it("is followed by seven silent seconds, one claim over HTTP, and the socket again [S-10, P-11]", async () => {
    world = new World({ slots: 3 });
    world.socket = true;
    const answers: ClaimAnswer[] = [{ kind: "uncertain" }];
    world.onBatch = () => Promise.resolve(answers.shift() ?? NONE);
    const start = world.clock.monotonic();
    await world.clock.advance(6999);
    world.loop.wake();
    await world.clock.advance(0);
    expect(world.ways).toEqual([{ way: "socket", at: start }]);
    expect(world.slots.freeCount).toBe(3);
    await world.clock.advance(1);
    expect(world.ways[1]).toEqual({ way: "http", at: start + 7000 });
    world.loop.wake();
    await world.clock.advance(0);
    expect(world.ways[2]?.way).toBe("socket");
  });

  it("takes the runtimes in turn, so that the last one gets its share of few slots", async () => {
    world = new World({ slots: 1, runtimes: ["r1", "r2", "r3"] });
    const served: string[] = [];
    world.onBatch = () => {
      const id = world.batches.at(-1)?.ids[0] ?? "";
      served.push(id);
      return Promise.resolve({ kind: "tasks", tasks: [{ ...task(`t${served.length}`), runtime_id: id }] });
    };
    await world.clock.advance(0);
    for (let each = 0; each < 5; each += 1) {
      world.finish(0);
      await world.clock.advance(0);
    }
    expect(served).toEqual(["r1", "r2", "r3", "r1", "r2", "r3"]);
  });
});

describe("single claims", () => {
  const single = async (options: ConstructorParameters<typeof World>[0] = {}): Promise<void> => {
    world = new World(options);
    world.onBatch = () => Promise.resolve({ kind: "unsupported" });
    await world.clock.advance(0);
    expect(world.loop.mode).toBe("single");
  };

  it("begin after a 404 of the batch route, each runtime at its own stable offset", async () => {
    await single({ runtimes: ["r1", "r2"] });
    expect(world.singles).toEqual([]);
    const offsets = ["r1", "r2"].map((id) => [startOffset(id, 30_000), id] as const).sort((a, b) => a[0] - b[0]);
    expect(offsets[0]?.[0]).not.toBe(offsets[1]?.[0]);
    await world.clock.advance(offsets[1]?.[0] ?? 0);
    expect(world.singles).toEqual(offsets.map(([, id]) => id));
    await world.clock.advance(120_000);
    expect(world.batches).toHaveLength(1);
  });

  it("wake only the runtime that a hint names, or all", async () => {
    await single({ runtimes: ["r1", "r2"] });
    world.loop.wake("r2");
    await world.clock.advance(0);
    expect(world.singles).toEqual(["r2"]);
    world.loop.wake();
    await world.clock.advance(0);
    expect(world.singles.slice(1).sort()).toEqual(["r1", "r2"]);
  });

  it("are not held up by a runtime whose request hangs, and ask again at once after a task", async () => {
    await single({ runtimes: ["r1", "r2"], slots: 3 });
    let left = 2;
    const never = Promise.withResolvers<ClaimAnswer>();
    world.onSingle = (id) => (id === "r1" ? never.promise : Promise.resolve(left-- > 0 ? tasks(`t${left}`) : NONE));
    world.loop.wake();
    await world.clock.advance(0);
    expect(world.dispatched).toHaveLength(2);
    world.root.abort();
    never.resolve(NONE);
  });

  it("end with their runtime and leave its tasks alone", async () => {
    await single({ runtimes: ["r1", "r2"] });
    world.onSingle = () => Promise.resolve(tasks("1"));
    world.loop.wake("r1");
    world.onSingle = (id) => Promise.resolve(id === "r1" && world.dispatched.length === 0 ? tasks("1") : NONE);
    await world.clock.advance(0);
    world.setRuntimes(["r2"]);
    await world.clock.advance(0);
    world.singles.length = 0;
    await world.clock.advance(90_000);
    expect(new Set(world.singles)).toEqual(new Set(["r2"]));
    expect(world.dispatched).toHaveLength(1);
    expect(world.barrier.activeTasks).toBe(1);
  });

  it("report a runtime that is gone and stop asking for it", async () => {
    await single();
    world.onSingle = (id) => Promise.resolve({ kind: "runtime_gone", runtimeId: id });
    world.loop.wake();
    await world.clock.advance(120_000);
    expect(world.gone).toEqual(["r1"]);
    expect(world.singles).toEqual(["r1"]);
  });

  it("give way to batch claims when the socket connects, after the claim under way has ended", async () => {
    await single();
    const answer = Promise.withResolvers<ClaimAnswer>();
    world.onSingle = () => answer.promise;
    world.loop.wake();
    await world.clock.advance(0);
    world.loop.resetMode();
    await world.clock.advance(0);
    expect(world.batches).toHaveLength(1);
    world.onBatch = () => Promise.resolve(NONE);
    answer.resolve(tasks("1"));
    await world.clock.advance(0);
    expect(world.batches).toHaveLength(2);
    expect(world.dispatched).toEqual([{ id: "1", slot: 0 }]);
    expect(world.loop.mode).toBe("batch");
  });
});
