import { errorText } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { IndexHandle } from "../../state/index.ts";

export interface IndexRefreshParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rootSignal: AbortSignal;
  /** Asked each time: null while there is none. */
  readonly index: () => IndexHandle | null;
  readonly intervalMs: number;
}

/** Looks through the Codex homes every now and then (state-db.md 18.3). Runs until the root signal aborts; never throws. */
export async function runIndexRefresh({ clock, logger, rootSignal, index, intervalMs }: IndexRefreshParts): Promise<void> {
  while (!rootSignal.aborted) {
    try {
      await clock.sleep(intervalMs, rootSignal);
      const stats = await index()?.refresh();
      if (stats !== undefined && stats !== null && stats.upserted + stats.removed > 0) logger.info("sessions indexed", { ...stats });
    } catch (error) {
      if (rootSignal.aborted) return;
      logger.warn("sessions not indexed", { error: errorText(error) });
    }
  }
}
