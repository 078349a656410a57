import { isStatus, isTransient } from "../../api/index.ts";
import { errorText } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import { taskFailure } from "./failure.ts";

/** A server that is started anew is back by then; a lost task is handed out again 90 s after it was claimed. */
const GIVE_UP_MS = 60_000;
const WAITS_MS = [1000, 1000, 2000, 4000, 8000] as const;

/**
 * Tells the server that the task runs now. An uncertain answer is no answer: the status decides, and only a task that
 * provably was not started is started again (server-api.md 6.2). A network can bring the request twice, and then it is the
 * second one's refusal that arrives: a task that runs is ours, because nobody else is given it. A server that is away is
 * waited for. Rejects with the error of the last attempt, with `runtime_offline` when the server stayed away.
 */
export async function sendStart(options: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly start: (signal: AbortSignal) => Promise<unknown>;
  readonly status: (signal: AbortSignal) => Promise<string>;
}): Promise<void> {
  const { clock, signal, start, status } = options;
  const until = clock.monotonic() + GIVE_UP_MS;
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
      if (state !== "dispatched" && state !== "waiting_local_directory" && state !== "unknown") throw error;
      const wait = WAITS_MS[Math.min(attempt, WAITS_MS.length) - 1] ?? 0;
      if (clock.monotonic() + wait > until) throw isTransient(error) ? taskFailure("runtime_offline", `start task failed: ${errorText(error)}`, error) : error;
      await clock.sleep(wait, signal);
    }
  }
}
