import type { RuntimeUpdate, createRuntimeApi } from "../lib/api/user-api-runtime.ts";
import { EXIT, MulticaError } from "../lib/core/index.ts";
import type { Clock } from "../lib/platform/index.ts";

const POLL_MS = 2000;
/** A little more than the server itself gives a daemon to take an update up and to finish it. */
const LIMIT_MS = 5 * 60_000;

/**
 * Asks every two seconds until the update has ended, and returns it when it is completed (cli.md 5.6). Throws when it failed,
 * timed out, or is still under way after five minutes (exit 1), and what `signal` was aborted with.
 */
export async function awaitUpdate(api: Pick<ReturnType<typeof createRuntimeApi>, "pollUpdate">, first: RuntimeUpdate, options: { readonly runtime: string; readonly clock: Clock; readonly signal: AbortSignal }): Promise<RuntimeUpdate> {
  const { runtime, clock, signal } = options;
  const end = clock.monotonic() + LIMIT_MS;
  for (let update = first; ; update = await api.pollUpdate(runtime, first.id)) {
    if (update.status === "completed") return update;
    if (update.status === "failed" || update.status === "timeout") throw ended(update.error || `the update ended as ${update.status}`);
    if (clock.monotonic() >= end) throw ended("the update is still under way after 5 minutes", "It may go on; multica runtime list shows when the machine is back.");
    await clock.sleep(POLL_MS, signal);
  }
}

function ended(message: string, ...suggestions: string[]): MulticaError {
  return new MulticaError("update_failed", message, { exit: EXIT.failed, suggestions });
}
