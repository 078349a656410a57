import { join } from "node:path";
import { errorText } from "../../core/index.ts";
import { type Clock, realPathIfExists } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { IndexHandle } from "../../state/index.ts";
import type { ActiveRoots } from "../active-roots.ts";

export interface IndexRefreshParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rootSignal: AbortSignal;
  /** Environments of running tasks. */
  readonly activeRoots: Pick<ActiveRoots, "list">;
  /** Asked each time: null while there is none. */
  readonly index: () => IndexHandle | null;
  readonly intervalMs: number;
  /** The same for the homes of running tasks; a minute unless given. */
  readonly runningMs?: number;
}

const RUNNING_MS = 60_000;

/**
 * Looks through the Codex homes every now and then, through those of running tasks every minute (state-db.md 18.3).
 * Runs until the root signal aborts; never throws.
 */
export async function runIndexRefresh(parts: IndexRefreshParts): Promise<void> {
  const { clock, rootSignal, intervalMs, runningMs = RUNNING_MS } = parts;
  let all = clock.monotonic() + intervalMs;
  while (!rootSignal.aborted) {
    await clock.sleep(Math.min(runningMs, Math.max(0, all - clock.monotonic())), rootSignal).catch(() => undefined);
    if (rootSignal.aborted) return;
    const due = clock.monotonic() >= all;
    if (due) all = clock.monotonic() + intervalMs;
    const homes = runningHomes(parts);
    if (due) await refresh(parts, undefined);
    else if (homes.length > 0) await refresh(parts, homes);
  }
}

async function refresh({ logger, rootSignal, index }: IndexRefreshParts, homes: readonly string[] | undefined): Promise<void> {
  try {
    const stats = await index()?.refresh(homes === undefined ? {} : { homes });
    if (stats !== undefined && stats !== null && stats.upserted + stats.removed > 0) logger.info("sessions indexed", { ...stats });
  } catch (error) {
    if (!rootSignal.aborted) logger.warn("sessions not indexed", { error: errorText(error) });
  }
}

function runningHomes({ activeRoots }: IndexRefreshParts): string[] {
  return activeRoots.list().flatMap((root) => realPathIfExists(join(root, "codex-home")) ?? []);
}
