import type { GcSettings } from "../../config/index.ts";
import { errorText } from "../../core/index.ts";
import { type GcReport, collectGarbage, sharedCodexHome, sweepSessionStores, sweepTempDirs } from "../../execenv/index.ts";
import { envValue, homeDir } from "../../platform/index.ts";
import type { DaemonContext } from "../context.ts";

export interface GcParts extends Pick<DaemonContext, "clock" | "logger" | "rootSignal" | "activeRoots" | "env" | "profile"> {
  readonly config: Pick<DaemonContext["config"], "workspacesRoot">;
  readonly settings: GcSettings & { readonly enabled: boolean; readonly intervalMs: number };
  /** Wait before the first cycle. */
  readonly firstMs: number;
  readonly ask: DaemonContext["api"]["gcAnswers"];
  /** Says whether a command that outlived its task works below a directory. */
  readonly usesRoot: (root: string) => boolean;
}

/**
 * Collects what finished work left behind every now and then (daemon.md 14): environments, temporary directories, stored
 * sessions. One cycle at a time; runs until the root signal aborts; never throws.
 */
export async function runGc(parts: GcParts): Promise<void> {
  const { clock, logger, rootSignal, settings } = parts;
  if (!settings.enabled) {
    logger.info("gc: disabled");
    return;
  }
  for (let waitMs = parts.firstMs; !rootSignal.aborted; waitMs = settings.intervalMs) {
    try {
      await clock.sleep(waitMs, rootSignal);
      await cycle(parts);
    } catch (error) {
      if (rootSignal.aborted) return;
      logger.warn("gc: the cycle failed", { error: errorText(error) });
    }
  }
}

async function cycle(parts: GcParts): Promise<void> {
  const { clock, config, settings, env, rootSignal } = parts;
  const { workspacesRoot } = config;
  const started = clock.monotonic();
  const reports = await collectGarbage({
    workspacesRoot,
    limits: settings,
    ask: (parents) => parts.ask(parents, rootSignal),
    isActive: (root) => parts.activeRoots.isActive(root) || parts.usesRoot(root),
    pressure: settings,
    dryRun: false,
    clock,
    env,
    signal: rootSignal,
  });
  const temp = await sweepTempDirs({ base: envValue(env, "MULTICA_AGENT_TEMP_BASE"), dryRun: false, nowMs: clock.now(), legacyTtlMs: settings.legacyTempTtlMs });
  const sharedHome = sharedCodexHome({ env, home: homeDir(env) }, workspacesRoot);
  const stores = await sweepSessionStores({ workspacesRoot, sharedHome, profile: parts.profile, ttlMs: settings.sessionTtlMs, nowMs: clock.now(), dryRun: false });
  report(parts, reports, [...temp, ...stores], clock.monotonic() - started);
}

/** A line only for what was reclaimed or went wrong: an idle daemon's log stays empty. */
function report({ logger }: GcParts, envs: readonly GcReport[], others: readonly { path: string; status: string; error: string | null }[], tookMs: number): void {
  for (const one of [...envs, ...others]) if (one.status === "failed") logger.warn("gc: could not be deleted", { path: one.path, error: one.error });
  const cleaned = envs.filter((one) => one.status === "cleaned");
  const removed = others.filter((one) => one.status === "removed").length;
  if (cleaned.length === 0 && removed === 0) return;
  const counts: Record<string, number> = {};
  for (const { action } of cleaned) counts[action] = (counts[action] ?? 0) + 1;
  const bytes = cleaned.reduce((total, one) => total + one.bytes, 0);
  logger.info("gc: reclaimed", { ...counts, ...(removed === 0 ? {} : { directories: removed }), bytes, took_ms: Math.round(tookMs) });
}
