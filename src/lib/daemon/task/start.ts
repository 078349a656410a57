import { isStatus, isTransient } from "../../api/index.ts";
import type { Clock } from "../../platform/index.ts";

const ATTEMPTS = 3;
const WAIT_MS = 1000;

/**
 * Tells the server that the task runs now. An uncertain answer is no answer: the status decides, and only a task that
 * provably was not started is started again (server-api.md 6.2). A network can bring the request twice, and then it is the
 * second one's refusal that arrives: a task that runs is ours, because nobody else is given it. Rejects with the error of
 * the last attempt.
 */
export async function sendStart(options: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly start: (signal: AbortSignal) => Promise<unknown>;
  readonly status: (signal: AbortSignal) => Promise<string>;
}): Promise<void> {
  const { clock, signal, start, status } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await start(signal);
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      const uncertain = isTransient(error) || attempt > 1;
      if (!uncertain && !isStatus(error, 400)) throw error;
      const state = await status(signal).catch(() => "unknown");
      if (state === "running") return;
      if (!uncertain) throw error;
      const startable = state === "dispatched" || state === "waiting_local_directory" || state === "unknown";
      if (attempt >= ATTEMPTS || !startable) throw error;
      await clock.sleep(WAIT_MS, signal);
    }
  }
}
