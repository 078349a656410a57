import { describe, expect, it } from "vitest";
import { HeldClock, deadline, systemClock, withTimeout } from "../../../src/lib/platform/index.ts";

describe("HeldClock", () => {
  it("stands still until it is moved", async () => {
    const clock = new HeldClock(1000);
    const log: string[] = [];
    clock.setTimer(50, () => log.push("timer"));
    void clock.sleep(100).then(() => log.push("slept"));
    expect([clock.now(), log, clock.pending]).toEqual([1000, [], 2]);
    await clock.advance(99);
    expect([clock.now(), log]).toEqual([1099, ["timer"]]);
    await clock.advance(1);
    expect([log, clock.pending]).toEqual([["timer", "slept"], 0]);
  });

  it("fires no timer sooner or later when the wall clock is set", async () => {
    const clock = new HeldClock(1000);
    const log: number[] = [];
    clock.setTimer(50, () => log.push(clock.now()));
    clock.jump(-600);
    expect([clock.now(), clock.monotonic()]).toEqual([400, 1000]);
    await clock.advance(49);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual([450]);
  });

  it("fires timers in the order of their time, then of their making, each at its own time", async () => {
    const clock = new HeldClock(0);
    const log: [string, number][] = [];
    for (const [name, at] of [["c", 30], ["a", 10], ["b", 20], ["a2", 10]] as const) clock.setTimer(at, () => log.push([name, clock.now()]));
    await clock.advance(100);
    expect(log).toEqual([["a", 10], ["a2", 10], ["b", 20], ["c", 30]]);
  });

  it("fires what a timer or a promise on the way sets up, when it is due", async () => {
    const clock = new HeldClock(0);
    const log: number[] = [];
    const loop = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await clock.sleep(10);
        log.push(clock.now());
      }
    };
    const done = loop();
    await clock.advance(25);
    expect(log).toEqual([10, 20]);
    await clock.advance(5);
    await done;
    expect(log).toEqual([10, 20, 30]);
  });

  it("repeats until told to stop, also from within", async () => {
    const clock = new HeldClock(0);
    let count = 0;
    const stop = clock.every(10, () => {
      count += 1;
      if (count === 3) stop();
    });
    await clock.advance(100);
    expect([count, clock.pending]).toEqual([3, 0]);
  });

  it("forgets a cancelled timer and an aborted sleep", async () => {
    const clock = new HeldClock();
    const stop = new AbortController();
    clock.setTimer(10, () => expect.unreachable())();
    const slept = clock.sleep(10, stop.signal);
    stop.abort(new Error("enough"));
    await expect(slept).rejects.toThrow("enough");
    await expect(clock.sleep(10, stop.signal)).rejects.toThrow("enough");
    expect(clock.pending).toBe(0);
    await clock.advance(100);
  });
});

describe("deadline", () => {
  it("aborts when the time is over, and leaves no timer when the work was faster", async () => {
    const clock = new HeldClock();
    const late = deadline(clock, 50);
    const early = deadline(clock, 50);
    early.done();
    await clock.advance(60);
    expect([late.signal.aborted, late.expired(), early.signal.aborted, early.expired()]).toEqual([true, true, false, false]);
    expect(late.signal.reason).toMatchObject({ code: "timeout" });
    expect(clock.pending).toBe(0);
  });

  it("passes the parent's abort and reason on, without calling it a timeout", () => {
    const clock = new HeldClock();
    const parent = new AbortController();
    const limit = deadline(clock, 50, parent.signal);
    parent.abort(new Error("stop"));
    expect([limit.signal.aborted, limit.expired(), limit.signal.reason]).toEqual([true, false, parent.signal.reason]);
    limit.done();
    expect(deadline(clock, 50, parent.signal).signal.aborted).toBe(true);
  });
});

describe("withTimeout", () => {
  it("names what took too long, and passes results and errors through", async () => {
    const clock = new HeldClock();
    const slow = withTimeout(clock, 50, "the answer", new Promise(() => undefined));
    const caught = expect(slow).rejects.toMatchObject({ code: "timeout", message: "the answer timed out after 50 ms" });
    await clock.advance(50);
    await caught;
    expect(await withTimeout(clock, 50, "x", Promise.resolve(1))).toBe(1);
    await expect(withTimeout(clock, 50, "x", Promise.reject(new Error("own")))).rejects.toThrow("own");
    expect(clock.pending).toBe(0);
  });
});

describe("systemClock", () => {
  it("sleeps, repeats and cancels on real time", async () => {
    const started = systemClock.monotonic();
    let ticks = 0;
    const stop = systemClock.every(5, () => (ticks += 1));
    await systemClock.sleep(60);
    stop();
    expect(systemClock.monotonic() - started).toBeGreaterThanOrEqual(55);
    expect(ticks).toBeGreaterThan(0);
    await expect(systemClock.sleep(60_000, AbortSignal.timeout(10))).rejects.toThrow();
  });
});
