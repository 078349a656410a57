import { resolveGcSettings, resolveRepoGcSettings } from "../config/index.ts";
import type { DaemonContext } from "./context.ts";
import { runGc } from "./loops/gc.ts";
import { runRepoGc } from "./loops/repo-gc.ts";
import { runAutoUpdate, runSelfReload } from "./loops/updates.ts";
import type { RepoAccess } from "./repo-access.ts";
import { releaseSource } from "./update/release.ts";
import { type UpdateParts, Updates } from "./update/updates.ts";

interface Loop {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** What moves this daemon to another build, and the loops that look for one (daemon.md 16). */
export function createUpdates(ctx: DaemonContext, base: Pick<UpdateParts, "version" | "restart"> & { readonly restartTarget: UpdateParts["target"] }): { readonly updates: Updates; readonly loops: readonly Loop[] } {
  const settings = ctx.config.updates;
  const { rootSignal, env, clock, logger, barrier } = ctx;
  const managed = ctx.config.launchedBy === "desktop";
  const source = releaseSource(settings, env);
  const updates = new Updates({ rootSignal, env, clock, logger, barrier, managed, source, wake: () => ctx.wake(), version: base.version, target: base.restartTarget, restart: base.restart });
  const parts = { clock, logger, rootSignal, settings, managed, source, version: base.version, updates };
  return { updates, loops: [{ name: "auto-update", run: () => runAutoUpdate(parts) }, { name: "self-reload", run: () => runSelfReload(parts) }] };
}

/** The loops that give disk space back (daemon.md 14). Throws `bad_setting` for a `MULTICA_GC_*` that cannot be read. */
export function housekeepingLoops(ctx: DaemonContext, repoAccess: RepoAccess): readonly Loop[] {
  const repositories = resolveRepoGcSettings(ctx.env);
  const { enabled, intervalMs } = repositories;
  const settings = { ...resolveGcSettings(ctx.env, ctx.serverUrl), enabled, intervalMs };
  const usesRoot = (root: string): boolean => (ctx.exec?.usersOf(root).length ?? 0) > 0;
  const ask: DaemonContext["api"]["gcAnswers"] = (parents, signal) => ctx.api.gcAnswers(parents, signal);
  return [
    { name: "collector", run: () => runGc({ ...ctx, settings, firstMs: ctx.limits.gcFirst, ask, usesRoot }) },
    { name: "repository maintenance", run: () => runRepoGc({ ...ctx, settings: repositories, firstMs: ctx.limits.gcFirst, claims: repoAccess.claims }) },
  ];
}
