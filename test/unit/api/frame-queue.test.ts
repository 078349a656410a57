import { describe, expect, it } from "vitest";
import { FrameQueue } from "../../../src/lib/api/frame-queue.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";

function world(capacity = 2) {
  const clock = new HeldClock();
  const written: string[] = [];
  const pending: ((error?: Error | null) => void)[] = [];
  const state = { stuck: 0 };
  const queue = new FrameQueue({
    clock,
    capacity,
    writeMs: 10_000,
    write: (data, done) => {
      written.push(data);
      pending.push(done);
    },
    onStuck: () => void (state.stuck += 1),
  });
  return { clock, written, pending, state, queue };
}

describe("the frames of a connection", () => {
  it("leave one at a time, in order; a full queue takes no more and stays open [S-6]", () => {
    const { queue, written, pending, state } = world();
    expect(["a", "b", "c", "d"].map((data) => queue.post(data) !== null)).toEqual([true, true, true, false]);
    expect(written).toEqual(["a"]);
    pending[0]?.();
    expect(written).toEqual(["a", "b"]);
    expect(queue.post("e")).not.toBeNull();
    pending[1]?.();
    pending[2]?.();
    expect(written).toEqual(["a", "b", "c", "e"]);
    expect(state.stuck).toBe(0);
  });

  it("can be taken back while they wait, and then never leave [S-9]", () => {
    const { queue, written, pending } = world();
    const first = queue.post("a");
    const second = queue.post("b");
    expect(second?.withdraw()).toBe(true);
    expect(first?.withdraw()).toBe(false);
    pending[0]?.();
    queue.post("c");
    expect(written).toEqual(["a", "c"]);
    expect(second?.withdraw()).toBe(true);
  });

  it("that do not leave in ten seconds, or fail, end the connection once; what waited was never written", async () => {
    const { clock, queue, written, pending, state } = world();
    queue.post("a");
    const waiting = queue.post("b");
    await clock.advance(9999);
    expect(state.stuck).toBe(0);
    await clock.advance(1);
    expect(state.stuck).toBe(1);
    pending[0]?.(new Error("late"));
    expect([state.stuck, waiting?.withdraw(), queue.post("c"), clock.pending]).toEqual([1, true, null, 0]);
    expect(written).toEqual(["a"]);
    const other = world();
    other.queue.post("a");
    other.pending[0]?.(new Error("EPIPE"));
    expect(other.state.stuck).toBe(1);
  });
});
