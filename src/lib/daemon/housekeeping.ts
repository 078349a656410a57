import { resolveGcSettings, resolveRepoGcSettings } from "../config/index.ts";
import type { DaemonContext } from "./context.ts";
import { runGc } from "./loops/gc.ts";
import { runRepoGc } from "./loops/repo-gc.ts";
import type { RepoAccess } from "./repo-access.ts";

/** The loops that give disk space back (daemon.md 14). Throws `bad_setting` for a `MULTICA_GC_*` that cannot be read. */
export function housekeepingLoops(ctx: DaemonContext, repoAccess: RepoAccess): { readonly name: string; readonly run: () => Promise<void> }[] {
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
