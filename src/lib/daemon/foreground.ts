import { currentPid, sendSignal, systemClock } from "../platform/index.ts";
import { type RunDaemonOptions, runDaemon } from "./main.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** One Ctrl-C may arrive several times: from the terminal, and again from a parent that passes it on. */
const ECHO_MS = 500;
/** What the third signal leaves for ending the tasks' processes before it ends this one. */
const KILL_MS = 1000;

/**
 * Runs the daemon as this process. SIGINT, SIGTERM and SIGHUP mean the same: the first stops claiming and lets tasks
 * finish within a limit, the second cancels them with their grace, the third ends everything at once.
 * Resolves after the shutdown; throws what `runDaemon` throws.
 */
export async function runForeground(options: Omit<RunDaemonOptions, "signal" | "finishFirst" | "killNow">): Promise<void> {
  const [finishFirst, stop, killNow] = [new AbortController(), new AbortController(), new AbortController()];
  const seen = { count: 0, at: Number.NEGATIVE_INFINITY };
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (now - seen.at < ECHO_MS) return;
    seen.at = now;
    seen.count += 1;
    if (seen.count === 1) finishFirst.abort();
    else if (seen.count === 2) stop.abort();
    else {
      killNow.abort();
      // Everybody's: whoever else listens would keep the signal from ending this process.
      for (const name of STOP_SIGNALS) process.removeAllListeners(name);
      const clock = options.clock ?? systemClock;
      clock.setTimer(KILL_MS, () => void sendSignal(currentPid(), signal));
    }
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  try {
    await runDaemon({ ...options, signal: stop.signal, finishFirst: finishFirst.signal, killNow: killNow.signal });
  } finally {
    for (const signal of STOP_SIGNALS) process.removeListener(signal, onSignal);
  }
}
