import type { RepoGcSettings } from "../../config/index.ts";
import { errorText } from "../../core/index.ts";
import { isAnyHeld } from "../../execenv/index.ts";
import type { DaemonContext } from "../context.ts";
import type { RepoAccess } from "../repo-access.ts";

export interface RepoGcParts extends Pick<DaemonContext, "clock" | "logger" | "rootSignal" | "barrier" | "repoCache"> {
  readonly config: Pick<DaemonContext["config"], "workspacesRoot">;
  readonly settings: RepoGcSettings;
  /** Wait before the first round. */
  readonly firstMs: number;
  readonly claims: RepoAccess["claims"];
}

/** Tidies the repository caches every now and then (daemon.md 14.6). Runs until the root signal aborts; never throws. */
export async function runRepoGc(parts: RepoGcParts): Promise<void> {
  const { clock, logger, rootSignal, settings } = parts;
  if (!settings.enabled) {
    logger.info("gc: repositories are not maintained");
    return;
  }
  for (let waitMs = parts.firstMs; !rootSignal.aborted; waitMs = settings.intervalMs) {
    try {
      await clock.sleep(waitMs, rootSignal);
      await round(parts);
    } catch (error) {
      if (rootSignal.aborted) return;
      logger.warn("gc: repositories failed", { error: errorText(error) });
    }
  }
}

async function round({ repoCache, claims, settings, barrier, rootSignal, logger, config }: RepoGcParts): Promise<void> {
  const report = await repoCache.maintain({
    evictAfterMs: settings.evictAfterMs,
    pack: settings.pack,
    // Tasks of another daemon on this root use the same caches.
    isIdle: () => barrier.activeTasks === 0 && barrier.claimsInFlight === 0 && !isAnyHeld(config.workspacesRoot),
    isClaimed: claims,
    signal: rootSignal,
  });
  if (Object.values(report).some((count) => Number(count) > 0)) logger.info("gc: repositories", { ...report });
}
