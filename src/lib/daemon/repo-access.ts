import { isTransient } from "../api/index.ts";
import type { RepoCheckoutMode } from "../config/index.ts";
import { errorText, isMulticaError } from "../core/index.ts";
import { deadline } from "../platform/index.ts";
import { type Readiness, type RefreshOutcome, type RepoCache, type RepoRegistry, coAuthorEnabled } from "../repos/index.ts";
import type { Repo } from "../wire/index.ts";
import type { DaemonContext, TaskRepos } from "./context.ts";
import type { CheckoutOrder, CheckoutOutcome, CheckoutService } from "./local-port/checkout.ts";

export interface RepoAccessParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "rootSignal"> {
  readonly cache: RepoCache;
  readonly registry: RepoRegistry;
  /** `auto`: as the task asks, which knows its agent's sandbox. */
  readonly checkoutMode: RepoCheckoutMode;
}

export interface RepoAccess extends CheckoutService {
  readonly taskRepos: TaskRepos;
  /** Takes a workspace's list and settings over; the first time its repositories are cloned in the background. */
  setWorkspace(workspaceId: string, data: { readonly repos?: readonly Repo[] | null | undefined; readonly repos_version?: string | null | undefined; readonly settings?: unknown }): void;
  removeWorkspace(workspaceId: string): void;
  /** True when a watched workspace or a task names the repository whose cache has this name. */
  claims(workspaceId: string, cacheName: string): boolean;
}

/** What tasks may check out, and the checkouts themselves (daemon.md 7.10, 13.4). */
export function createRepoAccess(parts: RepoAccessParts): RepoAccess {
  const { cache, registry, rootSignal } = parts;

  const cloneInBackground = (workspaceId: string, urls: readonly string[]): void => {
    const missing = urls.filter((url) => !isCached(parts, workspaceId, url));
    if (missing.length === 0) return;
    // Failures are logged by the cache; a checkout that needs one of these tries again itself.
    cache.sync(workspaceId, missing, { signal: rootSignal }).catch((error: unknown) => {
      if (!rootSignal.aborted) parts.logger.warn("background clone failed", { workspace: workspaceId, error: errorText(error) });
    });
  };

  return {
    taskRepos: {
      register(workspaceId, taskId, repos) {
        const list = repos.map(({ url, ref }) => ({ url, ...(ref === undefined || ref === null ? {} : { ref }) }));
        registry.setTaskRepos(taskId, workspaceId, list);
        if (registry.repos(workspaceId) !== undefined) cloneInBackground(workspaceId, list.map(({ url }) => url.trim()).filter((url) => url !== ""));
      },
      clear: (_workspaceId, taskId) => registry.clearTaskRepos(taskId),
    },
    setWorkspace(workspaceId, data) {
      const isNew = registry.repos(workspaceId) === undefined;
      const urls = (data.repos ?? []).map((repo) => repo.url);
      registry.setWorkspaceRepos(workspaceId, {
        urls,
        ...(data.repos_version ? { version: data.repos_version } : {}),
        ...(data.settings === undefined || data.settings === null ? {} : { settings: data.settings }),
      });
      if (isNew) cloneInBackground(workspaceId, urls);
    },
    claims: (workspaceId, cacheName) => registry.claims(workspaceId, cacheName),
    removeWorkspace: (workspaceId) => registry.removeWorkspace(workspaceId),
    checkout: async (order) => {
      const askedAt = parts.clock.monotonic();
      try {
        return await checkout(parts, order, askedAt);
      } catch (error) {
        if (!isMulticaError(error, "repo_not_cached")) throw error;
        // It was evicted between the look and the lock: made ready once more.
        return checkout(parts, order, askedAt);
      }
    },
  };
}

/** How the registry asks the server for a workspace's list: tells "we may not" from "nobody answered". */
export async function refreshRepos(
  parts: Pick<DaemonContext, "api" | "limits" | "rootSignal">,
  workspaceId: string,
): Promise<RefreshOutcome> {
  const ask = () => parts.api.workspaceRepos(workspaceId, { timeoutMs: parts.limits.repoRefreshTimeout, signal: parts.rootSignal });
  try {
    // A connection that was kept open may have been closed by the other side a moment ago: one more try costs nothing.
    const answer = await ask().catch((error: unknown) => {
      if (!isTransient(error) || parts.rootSignal.aborted) throw error;
      return ask();
    });
    const repos = { urls: answer.repos.map((repo) => repo.url), version: answer.repos_version, settings: answer.settings ?? undefined };
    return { kind: "repos", repos };
  } catch (error) {
    return { kind: isTransient(error) ? "lost" : "refused", error };
  }
}

async function checkout(parts: RepoAccessParts, order: CheckoutOrder, askedAt: number): Promise<CheckoutOutcome> {
  const { cache, registry, limits } = parts;
  const { credential } = order;
  const signal = AbortSignal.any([order.signal, parts.rootSignal]);
  const ready = await readiness(parts, order, signal);
  if (ready === "busy") return { kind: "busy" };
  if (ready.kind === "not_allowed") return { kind: "not_configured" };
  if (ready.kind !== "ready") return { kind: "failed", text: ready.message };
  const ref = order.ref ?? registry.taskRef(credential.taskId, ready.url) ?? registry.taskRef(credential.taskId, order.url);
  try {
    const done = await cache.checkout({
      workspaceId: credential.workspaceId,
      url: ready.url,
      workdir: order.workdir,
      taskId: credential.taskId,
      agentName: credential.agentName,
      mode: parts.checkoutMode === "auto" ? order.mode : parts.checkoutMode,
      // Read now: readiness has just refreshed the settings (repocache.md 11).
      coAuthor: coAuthorEnabled(registry.repos(credential.workspaceId)?.settings),
      refImplied: order.ref === undefined,
      askedAt,
      signal,
      ...(ref === undefined ? {} : { ref }),
      ...(order.retryBusy ? { busyAfterMs: limits.checkoutLockWait } : {}),
    });
    parts.logger.info("repository checked out", { task: credential.taskId, mode: done.mode, branch: done.branchName, reused: done.reused });
    const { path, branchName, mode, reused, stale, baseRef, baseCommit, rescued } = done;
    return {
      kind: "done",
      body: { path, branch_name: branchName, mode, reused, stale, base_ref: baseRef, base_commit: baseCommit, rescued, warnings: [...ready.warnings, ...done.warnings] },
    };
  } catch (error) {
    if (isMulticaError(error, "repo_busy")) return { kind: "busy" };
    throw error;
  }
}

/** Readiness includes a first clone, which may take minutes: a caller that can come back waits only a while (repocache.md 14). */
async function readiness(parts: RepoAccessParts, order: CheckoutOrder, signal: AbortSignal): Promise<Readiness | "busy"> {
  const { workspaceId } = order.credential;
  const { onProgress } = order;
  // Who sees the clone go on waits for its end.
  if (onProgress !== undefined) return parts.registry.readiness(workspaceId, order.url, { signal, onProgress });
  if (!order.retryBusy) return parts.registry.readiness(workspaceId, order.url, { signal });
  const limit = deadline(parts.clock, parts.limits.checkoutLockWait, signal);
  try {
    return await parts.registry.readiness(workspaceId, order.url, { signal: limit.signal });
  } catch (error) {
    if (limit.expired()) return "busy";
    throw error;
  } finally {
    limit.done();
  }
}

function isCached(parts: RepoAccessParts, workspaceId: string, url: string): boolean {
  try {
    return parts.cache.isCached(workspaceId, url);
  } catch {
    // A URL that is refused: the clone says why.
    return false;
  }
}
