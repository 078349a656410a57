import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import type { BeatAnswer } from "../../../src/lib/daemon/loops/heartbeat.ts";
import { runSleepWatch } from "../../../src/lib/daemon/loops/sleep.ts";
import { PendingWork } from "../../../src/lib/daemon/pending-work.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { type Clock, HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

function world() {
  const clock = new HeldClock();
  const runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  runtimes.replace("w", ["a", "b"].map((id) => ({ id, name: id, provider: "codex", profileId: null })));
  const root = new AbortController();
  const state = { beats: [] as { id: string; limit: number }[], gone: [] as string[], answer: (): Promise<BeatAnswer> => Promise.resolve({ kind: "ok" }) };
  const hints = new PendingWork({
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    beat: (id, _signal, limit) => {
      state.beats.push({ id, limit });
      return state.answer();
    },
    runtimeGone: (id) => void state.gone.push(id),
  });
  return { clock, state, hints };
}

describe("hints of waiting work", () => {
  it("cause one heartbeat a second and runtime, none for an unknown runtime [H-8]", async () => {
    const { clock, state, hints } = world();
    for (let index = 0; index < 3; index += 1) hints.hint("a");
    hints.hint("b");
    hints.hint("nobody");
    expect(state.beats).toEqual([{ id: "a", limit: 15_000 }, { id: "b", limit: 15_000 }]);
    await clock.advance(999);
    hints.hint("a");
    expect(state.beats).toHaveLength(2);
    await clock.advance(1);
    hints.hint("a");
    expect(state.beats).toHaveLength(3);
  });

  it("are one while their heartbeat is under way; a runtime that is gone is recovered", async () => {
    const { clock, state, hints } = world();
    const slow = Promise.withResolvers<BeatAnswer>();
    state.answer = () => slow.promise;
    hints.hint("a");
    await clock.advance(5000);
    hints.hint("a");
    expect(state.beats).toHaveLength(1);
    slow.resolve({ kind: "runtime_gone" });
    await clock.advance(0);
    expect(state.gone).toEqual(["a"]);
    hints.hint("a");
    expect(state.beats).toHaveLength(2);
  });
});

describe("the sleep of the machine", () => {
  it("is noticed by a gap of either clock, and ordinary time is not", async () => {
    const held = new HeldClock();
    const skew = { wall: 0, steady: 0 };
    const clock: Clock = {
      now: () => held.now() + skew.wall,
      monotonic: () => held.monotonic() + skew.steady,
      sleep: (ms, signal) => held.sleep(ms, signal),
      setTimer: (ms, fn) => held.setTimer(ms, fn),
      every: (ms, fn) => held.every(ms, fn),
    };
    const root = new AbortController();
    const woken: number[] = [];
    const done = runSleepWatch({ clock, limits: LIMITS, logger: silentLogger, rootSignal: root.signal, onWake: (ms) => void woken.push(ms) });
    await held.advance(120_000);
    skew.wall += 20_000;
    await held.advance(15_000);
    expect(woken).toEqual([]);
    skew.wall += 3_600_000;
    await held.advance(15_000);
    skew.steady += 60_000;
    await held.advance(15_000);
    skew.wall -= 86_400_000;
    await held.advance(60_000);
    expect(woken).toEqual([3_600_000, 60_000]);
    root.abort();
    await done;
    expect(held.pending).toBe(0);
  });
});
