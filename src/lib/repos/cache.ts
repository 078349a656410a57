import { lstatSync } from "node:fs";
import { join } from "node:path";
import { EXIT, MulticaError, errorText } from "../core/index.ts";
import { type Clock, type Env, ensureDir } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { type CheckoutRequest, type CheckoutResult, Checkouts, missingWorkdir } from "./checkout.ts";
import { type CloneProgress, cloneBare } from "./clone.ts";
import { type Collected, type CollectRequest, collectWork } from "./collect.ts";
import type { CleanConfig } from "./config-guard.ts";
import { type FetchOutcome, refreshBare } from "./fetch.ts";
import { type Git, createGit } from "./git.ts";
import { type Held, type LockOptions, createRepoLocks } from "./locks.ts";
import { type MaintenanceReport, type MaintenanceRequest, maintainCaches } from "./maintain.ts";
import { bareName, workspaceSegment } from "./names.ts";
import { bareRepo, isBareRepo, stampUsed } from "./repo.ts";
import { askForRoom, maintenanceRound } from "./room.ts";
import { checkedUrl, maskCredentials } from "./url.ts";
import { untilAborted } from "./waiting.ts";

export interface RepoCacheOptions {
  /** The workspaces root; caches lie in `<root>/.repos/<workspace id>/<bare name>`. */
  readonly root: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The daemon's own environment: git gets what it needs of it. */
  readonly env: Readonly<Env>;
}

export interface EnsureOptions {
  /** Ends the caller's wait, not the clone: others may wait for it, and the next attempt finds it done. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CloneProgress) => void;
}

export interface RepoCache {
  /** Where the bare clone of this repository is or would be. Throws `repo_url_refused`. */
  cachePath(workspaceId: string, url: string): string;
  isCached(workspaceId: string, url: string): boolean;
  /** Makes sure that a bare clone exists: one clone however many wait for it, in this process and others. */
  ensure(workspaceId: string, url: string, options?: EnsureOptions): Promise<{ path: string; cloned: boolean }>;
  /** Clones what is missing and fetches the rest, four at a time. Goes on after failures; the first one is the result. */
  sync(workspaceId: string, urls: readonly string[], options?: { signal?: AbortSignal }): Promise<{ failure?: unknown }>;
  /** A working copy on a branch of the task's own. Needs a cached repository (`repo_not_cached` otherwise). */
  checkout(request: CheckoutRequest): Promise<CheckoutResult>;
  /** Takes the commits of an isolated checkout over into its cache; to be called when the agent's processes are gone. */
  collect(request: CollectRequest): Promise<Collected[]>;
  /** Tidies all caches that nobody uses at the moment; nothing while another daemon of this root is at it. */
  maintain(request: MaintenanceRequest): Promise<MaintenanceReport>;
  /** Ends maintenance, another daemon's too, and waits until it has ended: agents change refs of linked checkouts without asking. */
  stopMaintenance(): Promise<void>;
  activity(): { readonly maintenance: number; readonly waiters: number };
  /** Ends running clones and maintenance; waiters get an error. */
  close(): Promise<void>;
}

const SYNC_AT_ONCE = 4;

interface Flight {
  readonly done: Promise<{ path: string; cloned: boolean }>;
  readonly listeners: Set<(progress: CloneProgress) => void>;
}

/** The repository cache of a daemon (repocache.md 1–8, 10, 12). */
export function createRepoCache(options: RepoCacheOptions): RepoCache {
  return new Cache(options);
}

class Cache implements RepoCache {
  readonly #options: RepoCacheOptions;
  readonly #git: Git;
  readonly #locks: ReturnType<typeof createRepoLocks>;
  readonly #checkouts: Checkouts;
  /** When the last successful look at a remote began. */
  readonly #fresh = new Map<string, number>();
  readonly #clean = new Map<string, CleanConfig>();
  readonly #flights = new Map<string, Flight>();
  readonly #closing = new AbortController();
  #rounds = 0;

  constructor(options: RepoCacheOptions) {
    this.#options = options;
    this.#git = createGit(options);
    this.#locks = createRepoLocks(options.clock);
    this.#checkouts = new Checkouts({ git: this.#git, clock: options.clock, logger: options.logger });
  }

  cachePath(workspaceId: string, url: string): string {
    return join(this.#options.root, ".repos", workspaceSegment(workspaceId), bareName(checkedUrl(url)));
  }

  isCached(workspaceId: string, url: string): boolean {
    return isBareRepo(this.cachePath(workspaceId, url));
  }

  async ensure(workspaceId: string, url: string, options: EnsureOptions = {}): Promise<{ path: string; cloned: boolean }> {
    const path = this.cachePath(workspaceId, url);
    options.signal?.throwIfAborted();
    if (isBareRepo(path)) return { path, cloned: false };
    const flight = this.#flights.get(path) ?? this.#startClone(path, checkedUrl(url));
    const listener = options.onProgress;
    if (listener !== undefined) flight.listeners.add(listener);
    try {
      return await untilAborted(flight.done, options.signal);
    } finally {
      if (listener !== undefined) flight.listeners.delete(listener);
    }
  }

  #startClone(path: string, url: string): Flight {
    const listeners = new Set<(progress: CloneProgress) => void>();
    const done = this.#clone(path, url, (progress) => listeners.forEach((listener) => listener(progress)));
    const flight: Flight = { done: done.finally(() => this.#flights.delete(path)), listeners };
    // Every waiter may have gone: the failure is theirs to see, not the process's to die of.
    flight.done.catch(() => undefined);
    this.#flights.set(path, flight);
    return flight;
  }

  async #clone(path: string, url: string, onProgress: (progress: CloneProgress) => void): Promise<{ path: string; cloned: boolean }> {
    const { clock, logger } = this.#options;
    const signal = this.#closing.signal;
    const parent = join(path, "..");
    await ensureDir(parent);
    await this.#git.checkVersion(parent);
    return this.#locks.hold(path, { signal }, async () => {
      if (isBareRepo(path)) return { path, cloned: false };
      const started = clock.monotonic();
      await cloneBare(this.#git, path, url, { signal, onProgress });
      this.#fresh.set(path, started);
      logger.info("repository cloned", { url: maskCredentials(url), ms: Math.round(clock.monotonic() - started) });
      return { path, cloned: true };
    });
  }

  async sync(workspaceId: string, urls: readonly string[], options: { signal?: AbortSignal } = {}): Promise<{ failure?: unknown }> {
    const queue = urls.filter((url) => url.trim() !== "").map((url, index) => ({ url, index }));
    const failures = new Map<number, unknown>();
    const work = async (): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        const failure = await this.#syncOne(workspaceId, item.url, options.signal).catch((error: unknown) => error);
        options.signal?.throwIfAborted();
        if (failure === undefined) continue;
        failures.set(item.index, failure);
        this.#options.logger.warn("repository sync failed", { url: maskCredentials(item.url), error: errorText(failure) });
      }
    };
    await Promise.all(Array.from({ length: SYNC_AT_ONCE }, work));
    const first = [...failures.keys()].sort((a, b) => a - b)[0];
    return first === undefined ? {} : { failure: failures.get(first) };
  }

  async #syncOne(workspaceId: string, url: string, signal?: AbortSignal): Promise<undefined> {
    const { path, cloned } = await this.ensure(workspaceId, url, signal === undefined ? {} : { signal });
    if (cloned) return undefined;
    const askedAt = this.#options.clock.monotonic();
    const outcome = await this.#locks.hold(path, signal === undefined ? {} : { signal }, (held) => this.#refresh(path, url, held, { signal, askedAt }));
    // A remote that is away is only a warning: what is cached can be worked with.
    if (outcome.failure !== undefined) this.#options.logger.warn("repository fetch failed", { url: maskCredentials(url), error: errorText(outcome.failure) });
    return undefined;
  }

  async #refresh(path: string, url: string, held: Held, options: { signal?: AbortSignal | undefined; askedAt: number }): Promise<FetchOutcome> {
    const { clock, logger } = this.#options;
    const started = clock.monotonic();
    const repo = bareRepo(this.#git, path, options.signal, held.staleAfterMs);
    const offline = (this.#fresh.get(path) ?? Number.NEGATIVE_INFINITY) >= options.askedAt;
    const outcome = await refreshBare(this.#git, repo, checkedUrl(url), { signal: options.signal, offline, known: this.#clean });
    if (!offline && outcome.failure === undefined) this.#fresh.set(path, started);
    for (const warning of outcome.warnings) logger.warn(warning, { cache: path });
    return outcome;
  }

  async checkout(request: CheckoutRequest): Promise<CheckoutResult> {
    const { clock } = this.#options;
    const askedAt = request.askedAt ?? clock.monotonic();
    const bare = this.cachePath(request.workspaceId, request.url);
    if (lstatSync(request.workdir, { throwIfNoEntry: false })?.isDirectory() !== true) throw missingWorkdir(request.workdir);
    if (!isBareRepo(bare)) throw this.#notCached(request);
    const lock: LockOptions = {
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(request.busyAfterMs === undefined ? {} : { waitMs: request.busyAfterMs }),
    };
    return this.#locks.hold(bare, lock, async (held) => {
      // It may have been evicted while we waited.
      if (!isBareRepo(bare)) throw this.#notCached(request);
      await stampUsed(bare, clock.now());
      const fetched = await this.#refresh(bare, request.url, held, { signal: request.signal, askedAt });
      const warnings = [...fetched.warnings];
      if (fetched.failure !== undefined) warnings.push(`the remote could not be asked, the code may be old: ${errorText(fetched.failure)}`);
      return { ...(await this.#checkouts.place(request, bare, held, warnings)), stale: fetched.failure !== undefined };
    });
  }

  #notCached(request: CheckoutRequest): MulticaError {
    const text = `repo not found in cache: ${maskCredentials(request.url.trim())} (workspace: ${request.workspaceId})`;
    return new MulticaError("repo_not_cached", text, { exit: EXIT.notFound, retry: "later" });
  }

  collect(request: CollectRequest): Promise<Collected[]> {
    return this.#locks.hold(request.cache, request.signal === undefined ? {} : { signal: request.signal }, () => collectWork(this.#git, request));
  }

  async maintain(request: MaintenanceRequest): Promise<MaintenanceReport> {
    const signal = AbortSignal.any([request.signal, this.#closing.signal]);
    const round = (): Promise<MaintenanceReport> => maintainCaches({ ...this.#options, git: this.#git, locks: this.#locks }, { ...request, signal });
    this.#rounds += 1;
    try {
      return (await maintenanceRound(this.#options, () => this.#locks.stopMaintenance(), round)) ?? { branches: 0, rescuesExpired: 0, packed: 0, evicted: 0, bytes: 0 };
    } finally {
      this.#rounds -= 1;
    }
  }

  async stopMaintenance(): Promise<void> {
    await this.#locks.stopMaintenance();
    // Not our own round: what it is at has just been ended, and it sees for itself that something runs.
    if (this.#rounds === 0) await askForRoom(this.#options);
  }

  activity(): { maintenance: number; waiters: number } {
    return this.#locks.activity();
  }

  async close(): Promise<void> {
    this.#closing.abort(new MulticaError("aborted", "the repository cache is closing"));
    await Promise.allSettled([...this.#flights.values()].map((flight) => flight.done));
    await this.#locks.stopMaintenance();
  }
}
