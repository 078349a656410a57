import type { Clock } from "../../platform/index.ts";

export interface WatchdogOptions {
  readonly clock: Clock;
  /** Milliseconds without a message; 0 = no watchdog at all. */
  readonly windowMs: number;
  /** The same while a tool is at work; 0 = never fires then. */
  readonly toolWindowMs: number;
  readonly toolsInFlight: () => number;
  /** Messages that arrived and were not taken yet: a slow reader is not an idle agent. */
  readonly queued: () => number;
  readonly onFire: (facts: IdleFacts) => void;
}

export interface IdleFacts {
  readonly idleMs: number;
  readonly thresholdMs: number;
  readonly toolInFlight: boolean;
}

export interface Watchdog {
  /** An agent's message was handled. */
  touch(): void;
  stop(): void;
}

const LONG_WINDOW_MS = 60_000;
const SHORTEST_LONG_TICK_MS = 30_000;

/** Ends a run whose agent says nothing any more (daemon.md 11.12). Fires at most once, also when no message ever came. */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { clock, windowMs, toolWindowMs } = options;
  if (windowMs <= 0) return { touch: () => undefined, stop: () => undefined };
  let last = clock.monotonic();
  const half = windowMs / 2;
  const stop = clock.every(windowMs >= LONG_WINDOW_MS ? Math.max(SHORTEST_LONG_TICK_MS, half) : half, () => {
    const toolInFlight = options.toolsInFlight() > 0;
    const thresholdMs = toolInFlight ? toolWindowMs : windowMs;
    const idleMs = clock.monotonic() - last;
    if (thresholdMs <= 0 || idleMs < thresholdMs || options.queued() > 0) return;
    stop();
    options.onFire({ idleMs, thresholdMs, toolInFlight });
  });
  return {
    touch: () => {
      last = clock.monotonic();
    },
    stop,
  };
}
