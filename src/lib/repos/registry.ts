import { KeyedMutex, errorText } from "../core/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { RepoCache } from "./cache.ts";
import type { CloneProgress } from "./clone.ts";
import { bareName } from "./names.ts";
import { checkedUrl, maskCredentials } from "./url.ts";
import { untilAborted } from "./waiting.ts";

export interface WorkspaceRepos {
  readonly urls: readonly string[];
  readonly version?: string;
  /** The workspace's settings object as the server sent it. */
  readonly settings?: unknown;
}

/** `lost`: the server could not be asked (transport, 5xx). `refused`: it answered that we may not (401, 403, 404). */
export type RefreshOutcome =
  | { readonly kind: "repos"; readonly repos: WorkspaceRepos }
  | { readonly kind: "lost"; readonly error: unknown }
  | { readonly kind: "refused"; readonly error: unknown };

/** Whether a task may check a repository out now; `message` is what the caller is told (repocache.md 13.3, 16). */
export type Readiness =
  | { readonly kind: "ready"; readonly url: string; readonly path: string; readonly warnings: readonly string[] }
  | { readonly kind: "not_watched"; readonly message: string }
  | { readonly kind: "not_allowed"; readonly message: string }
  | { readonly kind: "refresh_failed"; readonly message: string; readonly error: unknown }
  | { readonly kind: "not_synced"; readonly message: string; readonly error: unknown };

export interface TaskRepo {
  readonly url: string;
  readonly ref?: string;
}

export interface RepoRegistryOptions {
  readonly cache: Pick<RepoCache, "ensure" | "isCached" | "cachePath">;
  /** Asks the server for the workspace's list; has its own time limit. */
  readonly refresh: (workspaceId: string) => Promise<RefreshOutcome>;
  readonly logger: Logger;
}

export interface RepoRegistry {
  /** Watches the workspace, or replaces its list; what tasks added stays. */
  setWorkspaceRepos(workspaceId: string, repos: WorkspaceRepos): void;
  removeWorkspace(workspaceId: string): void;
  /** Allows a task's repositories for the daemon's lifetime and remembers its refs; unknown workspace: nothing. */
  setTaskRepos(taskId: string, workspaceId: string, repos: readonly TaskRepo[]): void;
  /** Forgets the task's refs. */
  clearTaskRepos(taskId: string): void;
  /** The ref that the claim gave for this repository, if any. */
  taskRef(taskId: string, url: string): string | undefined;
  /** Every URL a workspace may use. */
  urls(workspaceId: string): string[];
  /** True when a list or a task names the repository whose cache has this name. */
  claims(workspaceId: string, cacheName: string): boolean;
  repos(workspaceId: string): WorkspaceRepos | undefined;
  /** Refreshes the list, checks it and clones what is missing. Rejects only when `signal` aborts. */
  readiness(workspaceId: string, url: string, options?: ReadinessOptions): Promise<Readiness>;
}

export interface ReadinessOptions {
  readonly signal?: AbortSignal;
  /** Told how a clone goes on that is waited for. */
  readonly onProgress?: (progress: CloneProgress) => void;
}

interface Flight {
  readonly done: Promise<Readiness>;
  readonly listeners: Set<(progress: CloneProgress) => void>;
}

interface Workspace {
  listed: WorkspaceRepos;
  readonly fromTasks: Set<string>;
}

/** Who may use which repository, in memory (repocache.md 15.1, 15.2). */
export function createRepoRegistry(options: RepoRegistryOptions): RepoRegistry {
  return new Registry(options);
}

class Registry implements RepoRegistry {
  readonly #options: RepoRegistryOptions;
  readonly #workspaces = new Map<string, Workspace>();
  readonly #taskRefs = new Map<string, Map<string, string>>();
  readonly #mutex = new KeyedMutex();
  readonly #flights = new Map<string, Flight>();

  constructor(options: RepoRegistryOptions) {
    this.#options = options;
  }

  setWorkspaceRepos(workspaceId: string, repos: WorkspaceRepos): void {
    const listed = { ...repos, urls: repos.urls.map((url) => url.trim()).filter((url) => url !== "") };
    const known = this.#workspaces.get(workspaceId);
    if (known === undefined) this.#workspaces.set(workspaceId, { listed, fromTasks: new Set() });
    else known.listed = listed;
  }

  removeWorkspace(workspaceId: string): void {
    this.#workspaces.delete(workspaceId);
  }

  setTaskRepos(taskId: string, workspaceId: string, repos: readonly TaskRepo[]): void {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) return;
    const refs = this.#taskRefs.get(taskId) ?? new Map<string, string>();
    for (const repo of repos) {
      const url = repo.url.trim();
      if (url === "") continue;
      workspace.fromTasks.add(url);
      const ref = repo.ref?.trim() ?? "";
      if (ref !== "" && !refs.has(url)) refs.set(url, ref);
    }
    this.#taskRefs.set(taskId, refs);
  }

  clearTaskRepos(taskId: string): void {
    this.#taskRefs.delete(taskId);
  }

  taskRef(taskId: string, url: string): string | undefined {
    return this.#taskRefs.get(taskId)?.get(url.trim());
  }

  urls(workspaceId: string): string[] {
    const workspace = this.#workspaces.get(workspaceId);
    return workspace === undefined ? [] : [...new Set([...workspace.listed.urls, ...workspace.fromTasks])];
  }

  claims(workspaceId: string, cacheName: string): boolean {
    return this.urls(workspaceId).some((url) => safeName(url) === cacheName);
  }

  repos(workspaceId: string): WorkspaceRepos | undefined {
    return this.#workspaces.get(workspaceId)?.listed;
  }

  async readiness(workspaceId: string, url: string, options: ReadinessOptions = {}): Promise<Readiness> {
    const asked = url.trim();
    if (!this.#workspaces.has(workspaceId)) {
      return { kind: "not_watched", message: `workspace is not watched by this daemon: ${workspaceId}` };
    }
    // Callers that ask for the same at once share one answer; none of them can cancel it for the others.
    const key = `${workspaceId}\n${asked}`;
    const flight = this.#flights.get(key) ?? this.#start(key, workspaceId, asked);
    const listener = options.onProgress;
    if (listener !== undefined) flight.listeners.add(listener);
    try {
      return await untilAborted(flight.done, options.signal);
    } finally {
      if (listener !== undefined) flight.listeners.delete(listener);
    }
  }

  #start(key: string, workspaceId: string, url: string): Flight {
    const listeners = new Set<(progress: CloneProgress) => void>();
    const tell = (progress: CloneProgress): void => listeners.forEach((listener) => listener(progress));
    const done = this.#check(workspaceId, url, tell).finally(() => this.#flights.delete(key));
    done.catch(() => undefined);
    this.#flights.set(key, { done, listeners });
    return { done, listeners };
  }

  async #check(workspaceId: string, asked: string, onProgress: (progress: CloneProgress) => void): Promise<Readiness> {
    const warnings: string[] = [];
    const hitOnEntry = this.#hit(workspaceId, asked) !== undefined;
    const failed = await this.#mutex.run(workspaceId, async () => {
      // Another caller has just done the work: no second request.
      if (!hitOnEntry && this.#hit(workspaceId, asked) !== undefined) return undefined;
      return this.#refresh(workspaceId, hitOnEntry, warnings);
    });
    if (failed !== undefined) return failed;
    const listed = this.#listedUrl(workspaceId, asked);
    if (listed === undefined) return { kind: "not_allowed", message: "repo is not configured for this workspace" };
    return this.#clone(workspaceId, listed, { warnings, onProgress });
  }

  /** The listed URL when the repository is allowed and cached. */
  #hit(workspaceId: string, asked: string): string | undefined {
    const listed = this.#listedUrl(workspaceId, asked);
    return listed !== undefined && cached(this.#options.cache, workspaceId, listed) ? listed : undefined;
  }

  async #refresh(workspaceId: string, hitOnEntry: boolean, warnings: string[]): Promise<Readiness | undefined> {
    const outcome = await this.#options.refresh(workspaceId).catch((error: unknown): RefreshOutcome => ({ kind: "lost", error }));
    if (outcome.kind === "repos") {
      this.setWorkspaceRepos(workspaceId, outcome.repos);
      return undefined;
    }
    const message = `refresh workspace repos: ${errorText(outcome.error)}`;
    if (outcome.kind === "refused" || !hitOnEntry) return { kind: "refresh_failed", message, error: outcome.error };
    // A server that is away for a minute must not stop an agent that needs nothing from it.
    warnings.push(message);
    this.#options.logger.warn("repository list not refreshed, the last one applies", { workspace: workspaceId, error: errorText(outcome.error) });
    return undefined;
  }

  async #clone(workspaceId: string, url: string, { warnings, onProgress }: { warnings: readonly string[]; onProgress: (progress: CloneProgress) => void }): Promise<Readiness> {
    try {
      const { path } = await this.#options.cache.ensure(workspaceId, url, { onProgress });
      return { kind: "ready", url, path, warnings };
    } catch (error) {
      return { kind: "not_synced", message: `repo is configured but not synced: ${maskCredentials(errorText(error))}`, error };
    }
  }

  /** The spelling in the list: the exact one, else another form of the same repository. */
  #listedUrl(workspaceId: string, asked: string): string | undefined {
    const urls = this.urls(workspaceId);
    if (urls.includes(asked)) return asked;
    const name = safeName(asked);
    return name === undefined ? undefined : urls.find((url) => safeName(url) === name);
  }
}

function safeName(url: string): string | undefined {
  try {
    return bareName(checkedUrl(url));
  } catch {
    return undefined;
  }
}

function cached(cache: Pick<RepoCache, "isCached">, workspaceId: string, url: string): boolean {
  return safeName(url) !== undefined && cache.isCached(workspaceId, url);
}
