import { type RunDaemonOptions, runDaemon } from "./main.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs the daemon as this process: SIGINT, SIGTERM and SIGHUP begin the orderly shutdown, a second SIGINT ends at once.
 * Resolves after the shutdown; throws what `runDaemon` throws.
 */
export async function runForeground(options: Omit<RunDaemonOptions, "signal">): Promise<void> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    stop.abort();
    // Without our listener the next Ctrl-C has its ordinary effect.
    if (signal === "SIGINT") process.removeListener("SIGINT", onSignal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  try {
    await runDaemon({ ...options, signal: stop.signal });
  } finally {
    for (const signal of STOP_SIGNALS) process.removeListener(signal, onSignal);
  }
}
