import { type Clock, systemClock } from "../../src/lib/platform/index.ts";

/** Time that passes so many times as fast as the machine's: for graces and pauses whose length is not what is tested. */
export function hurriedClock(factor = 8): Clock {
  const [wall, steady] = [systemClock.now(), systemClock.monotonic()];
  const passed = (): number => (systemClock.monotonic() - steady) * factor;
  return {
    now: () => Math.round(wall + passed()),
    monotonic: () => steady + passed(),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
    setTimer: (ms, fn) => systemClock.setTimer(ms / factor, fn),
    every: (ms, fn) => systemClock.every(ms / factor, fn),
  };
}
