import { RequestError } from "../../api/index.ts";
import { errorText } from "../../core/index.ts";
import type { DaemonContext } from "../context.ts";

/** Pauses before the second, third and fourth attempt (daemon.md 17.5). */
const WAITS_MS = [500, 2000, 4000];

export type DeliverParts = Pick<DaemonContext, "clock" | "logger" | "rootSignal">;

/**
 * Sends the result of an action: four attempts, none after an answer of the 4xx kind, which means that nobody waits for it
 * any more. Never throws; true when the server took it.
 */
export async function deliverResult({ clock, logger, rootSignal }: DeliverParts, what: string, send: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await send(rootSignal);
      if (attempt > 0) logger.info("result delivered after a retry", { what, attempts: attempt + 1 });
      return true;
    } catch (error) {
      if (rootSignal.aborted) return false;
      const final = error instanceof RequestError && error.status < 500;
      const wait = WAITS_MS[attempt];
      if (final || wait === undefined) {
        logger.error("the result of a request was not taken", { what, attempts: attempt + 1, error: errorText(error) });
        return false;
      }
      await clock.sleep(wait, rootSignal).catch(() => undefined);
      if (rootSignal.aborted) return false;
    }
  }
}
