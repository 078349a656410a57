import { describe, expect, it } from "vitest";
import { type IdleFacts, startWatchdog } from "../../../../src/lib/daemon/task/watchdog.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";

const MINUTE = 60_000;

function start(windowMs: number, toolWindowMs: number) {
  const clock = new HeldClock();
  const state = { tools: 0, queued: 0, fired: [] as IdleFacts[] };
  const watchdog = startWatchdog({
    clock,
    windowMs,
    toolWindowMs,
    toolsInFlight: () => state.tools,
    queued: () => state.queued,
    onFire: (facts) => void state.fired.push(facts),
  });
  return { clock, state, watchdog };
}

// K-27's shorter window for OpenCode, and K-30's agents that cannot say that they refused to resume, wait for those
// providers: none is in the registry yet. The rule of K-30 is tested as such in retry.test.ts.
describe("startWatchdog", () => {
  it("fires when no message came for the window, also when none ever came", async () => {
    const { clock, state } = start(30 * MINUTE, 120 * MINUTE);
    await clock.advance(29 * MINUTE);
    expect(state.fired).toEqual([]);
    await clock.advance(MINUTE);
    expect(state.fired).toEqual([{ idleMs: 30 * MINUTE, thresholdMs: 30 * MINUTE, toolInFlight: false }]);
    await clock.advance(120 * MINUTE);
    expect(state.fired.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("waits from the last message", async () => {
    const { clock, state, watchdog } = start(30 * MINUTE, 120 * MINUTE);
    await clock.advance(20 * MINUTE);
    watchdog.touch();
    await clock.advance(29 * MINUTE);
    expect(state.fired).toEqual([]);
    await clock.advance(16 * MINUTE);
    expect(state.fired.length).toBe(1);
  });

  it("gives a tool at work its longer window, and the short one again after it", async () => {
    const { clock, state, watchdog } = start(30 * MINUTE, 120 * MINUTE);
    state.tools = 1;
    await clock.advance(119 * MINUTE);
    expect(state.fired).toEqual([]);
    watchdog.touch();
    state.tools = 0;
    await clock.advance(46 * MINUTE);
    expect(state.fired.map((facts) => facts.toolInFlight)).toEqual([false]);
  });

  it("never fires during a tool when that window is 0", async () => {
    const { clock, state } = start(30 * MINUTE, 0);
    state.tools = 1;
    await clock.advance(24 * 60 * MINUTE);
    expect(state.fired).toEqual([]);
  });

  it("does not take a slow reader for an idle agent (K-28)", async () => {
    const { clock, state } = start(MINUTE, MINUTE);
    state.queued = 3;
    await clock.advance(10 * MINUTE);
    expect(state.fired).toEqual([]);
    state.queued = 0;
    await clock.advance(MINUTE);
    expect(state.fired.length).toBe(1);
  });

  it("does not exist when the window is 0, and stops when told", async () => {
    expect(start(0, MINUTE).clock.pending).toBe(0);
    const { clock, state, watchdog } = start(MINUTE, MINUTE);
    watchdog.stop();
    await clock.advance(10 * MINUTE);
    expect(state.fired).toEqual([]);
  });
});
