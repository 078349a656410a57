import type { DaemonContext } from "../context.ts";

export interface SleepParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "rootSignal"> {
  /** The machine slept: every connection may be dead without anybody having told. */
  onWake(sleptMs: number): void;
}

/**
 * Notices that the machine was suspended. The time that never jumps stands still meanwhile on some systems and goes on in
 * others, so both clocks are looked at; a changed wall clock looks the same, and reconnecting then does no harm.
 */
export async function runSleepWatch({ clock, limits, logger, rootSignal, onWake }: SleepParts): Promise<void> {
  let wall = clock.now();
  let steady = clock.monotonic();
  while (!rootSignal.aborted) {
    try {
      await clock.sleep(limits.sleepLook, rootSignal);
    } catch {
      return;
    }
    const gone = Math.max(clock.now() - wall, clock.monotonic() - steady);
    wall = clock.now();
    steady = clock.monotonic();
    const slept = gone - limits.sleepLook;
    if (slept < limits.sleepGap) continue;
    logger.info("the machine has slept, or its clock was set; connections are made anew", { gap_ms: Math.round(slept) });
    onWake(slept);
  }
}
