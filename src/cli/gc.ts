import { type RunContext, envText, resolveGcSettings } from "../lib/config/index.ts";
import { type AskParents, type GcReport, type StoreReport, type TempReport, collectGarbage, isAnyHeld, sharedCodexHome, sweepSessionStores, sweepTempDirs } from "../lib/execenv/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import { type MaintenanceReport, createRepoCache } from "../lib/repos/index.ts";
import { usedByProcesses } from "./exec/users.ts";
import type { Place } from "./execenv.ts";
import { openGcCheck } from "./gc-check.ts";
import { holdInterrupts } from "./interrupt.ts";

export interface GcDocument {
  readonly root: string;
  readonly dry_run: boolean;
  readonly offline: boolean;
  readonly envs: readonly GcReport[];
  readonly temp: readonly TempReport[];
  readonly stores: readonly StoreReport[];
  /** Null unless asked for. */
  readonly repos: MaintenanceReport | null;
}

interface Asked {
  readonly dryRun: boolean;
  readonly offline: boolean;
  readonly workspaceId: string | undefined;
  readonly temp: boolean;
  readonly stores: boolean;
  readonly repos: boolean;
}

/**
 * One cycle of the collector, as the daemon does it (execenv.md 17): environments always, the rest when asked for. Caches of
 * repositories are tidied but none is evicted: only a daemon knows which ones workspaces still claim.
 */
export async function collectOnce(context: RunContext, place: Place, asked: Asked): Promise<GcDocument> {
  const env = Object.fromEntries(Object.entries(place.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { workspacesRoot } = place;
  const settings = resolveGcSettings(env, context.serverUrl);
  const ask: AskParents | null = asked.offline ? null : openGcCheck(context);
  const signal = holdInterrupts();
  const nowMs = systemClock.now();
  const { dryRun } = asked;
  const envs = await collectGarbage({
    workspacesRoot, limits: settings, pressure: settings, ask, workspaceId: asked.workspaceId, dryRun,
    isActive: usedByProcesses(context.stateDir), clock: systemClock, env, signal,
  });
  const base = envText(env, "MULTICA_AGENT_TEMP_BASE");
  const temp = asked.temp ? await sweepTempDirs({ base, dryRun, nowMs, legacyTtlMs: settings.legacyTempTtlMs }) : [];
  const sharedHome = sharedCodexHome({ env, home: place.home }, workspacesRoot);
  const stores = asked.stores ? await sweepSessionStores({ workspacesRoot, sharedHome, profile: context.profile, ttlMs: settings.sessionTtlMs, nowMs, dryRun }) : [];
  const repos = asked.repos && !dryRun ? await tidyCaches(workspacesRoot, env, signal) : null;
  return { root: workspacesRoot, dry_run: dryRun, offline: asked.offline, envs, temp, stores, repos };
}

async function tidyCaches(root: string, env: Record<string, string>, signal: AbortSignal): Promise<MaintenanceReport> {
  const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env });
  try {
    return await cache.maintain({ evictAfterMs: 0, pack: true, isIdle: () => !isAnyHeld(root), isClaimed: () => true, signal });
  } finally {
    await cache.close();
  }
}
