import { isMulticaError, parseDuration } from "../lib/core/index.ts";
import { packageRoot, systemClock } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import type { BackfillStats, HomePlaces } from "../lib/state/index.ts";
import { versionInfo } from "./version.ts";

export interface BackfillWish {
  readonly stateDir: string;
  readonly places: HomePlaces;
  readonly force: boolean;
  /** A duration as typed; undefined = 30 s. */
  readonly wait?: string | undefined;
  note(line: string): void;
  readonly onProgress?: ((stats: BackfillStats) => void) | undefined;
}

export type BackfillResult = BackfillStats & { readonly timed_out: boolean };

const NOTHING: BackfillStats = { roots: 0, scanned: 0, upserted: 0, unchanged: 0, removed: 0, failed: 0, duration_ms: 0 };
const POLL_MS = 250;
const WAIT_MS = 30_000;

/** One pass over the homes, in this process; waits for another process that is at it, for as long as was asked for. */
export async function runBackfill(wish: BackfillWish): Promise<BackfillResult> {
  const { openIndex } = await import("../lib/state/index-db/open.ts");
  const waitMs = wish.wait === undefined ? WAIT_MS : parseDuration(wish.wait);
  const limit = systemClock.monotonic() + waitMs;
  const { places, onProgress } = wish;
  let first: BackfillStats | null = null;
  try {
    const index = await openIndex({
      stateDir: wish.stateDir,
      version: versionInfo(packageRoot()).version,
      clock: systemClock,
      logger: silentLogger,
      places,
      waitMs,
      onWait: ({ pid }) => wish.note(`Waiting for process ${pid}, which is filling the index.`),
      onFilled: (stats) => (first = stats),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    try {
      // What the opening did already is the pass that was asked for, unless everything is to be read again.
      if (first !== null && !wish.force) return { ...(first as BackfillStats), timed_out: false };
      const homes = places.extra.length === 0 ? undefined : places.extra;
      for (;;) {
        const stats = await index.refresh({ force: wish.force, homes, onProgress });
        if (stats !== null) return { ...stats, timed_out: false };
        if (systemClock.monotonic() >= limit) return { ...NOTHING, timed_out: true };
        await systemClock.sleep(POLL_MS);
      }
    } finally {
      await index.close();
    }
  } catch (error) {
    if (isMulticaError(error, "index_backfill_timeout")) return { ...NOTHING, timed_out: true };
    throw error;
  }
}
