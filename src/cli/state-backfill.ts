import { stateJournalMode } from "../lib/config/index.ts";
import { isMulticaError, parseDuration } from "../lib/core/index.ts";
import { packageRoot, processEnv, systemClock } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import type { BackfillStats, HomePlaces } from "../lib/state/index.ts";
import { askDaemon, awaitJob } from "./state-daemon.ts";
import { versionInfo } from "./version.ts";

export interface BackfillWish {
  readonly stateDir: string;
  readonly places: HomePlaces;
  /** Real paths of the only homes that are meant; all unless given. */
  readonly homes?: readonly string[] | undefined;
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

/** One pass over the homes, by the daemon when one runs and knows them, else in this process. */
export async function runBackfill(wish: BackfillWish): Promise<BackfillResult> {
  const waitMs = wish.wait === undefined ? WAIT_MS : parseDuration(wish.wait);
  const { homes, force, stateDir } = wish;
  const asked = await askDaemon(stateDir, async (port) => {
    const job = await port.backfill({ force, ...(homes === undefined ? {} : { homes: [...homes] }) });
    if (wish.onProgress !== undefined) wish.note("The daemon does it; multica state status shows how far it is.");
    return awaitJob<BackfillStats>(port, job, waitMs);
  });
  if (asked.kind === "answer") return asked.value === null ? { ...NOTHING, timed_out: true } : { ...asked.value, timed_out: false };
  return fillHere(wish, waitMs);
}

/** In this process; waits for another process that is at it, for as long as was asked for. */
async function fillHere(wish: BackfillWish, waitMs: number): Promise<BackfillResult> {
  const { openIndex } = await import("../lib/state/index-db/open.ts");
  const limit = systemClock.monotonic() + waitMs;
  const { places, homes, onProgress } = wish;
  let first: BackfillStats | null = null;
  try {
    const index = await openIndex({
      stateDir: wish.stateDir,
      version: versionInfo(packageRoot()).version,
      journalMode: stateJournalMode(processEnv()),
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
