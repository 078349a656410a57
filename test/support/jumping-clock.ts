import { type Clock, systemClock } from "../../src/lib/platform/index.ts";

/** The machine's time, whose wall clock can be set: timers and the time that never jumps are as they are. */
export function jumpingClock(): Clock & { jump(ms: number): void } {
  let shift = 0;
  return { ...systemClock, now: () => systemClock.now() + shift, jump: (ms) => void (shift += ms) };
}
