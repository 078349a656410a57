import { lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { EXIT, MulticaError, errorText, isMulticaError, randomHex } from "../core/index.ts";
import { type Clock, type Env, ensureDir, moveFile, removeTree } from "../platform/index.ts";
import { bundleWork } from "./bundle.ts";
import { cleanConfig, isHostile, readConfig } from "./config-guard.ts";
import { pruneWorktrees, refreshBare } from "./fetch.ts";
import { type Git, createGit } from "./git.ts";
import { type CacheEntry, describeCache, findCaches } from "./inventory.ts";
import { copyMoved, dropMoved, listMoved } from "./kept.ts";
import { createRepoLocks } from "./locks.ts";
import { bareName, isPlainBranch } from "./names.ts";
import { type BareRepo, bareRepo } from "./repo.ts";
import { type KeptEntry, dropRescues, findRescue, listRescues, restoreFiles, showRescue } from "./rescue-refs.ts";
import { bareLockFiles } from "./stale-lock.ts";
import { maskCredentials } from "./url.ts";

export type KeptWork = KeptEntry;

export interface CacheReport {
  readonly workspace_id: string;
  readonly name: string;
  readonly repository: string;
  readonly status: "fetched" | "dropped" | "ok" | "findings" | "refused" | "busy" | "failed";
  /** What was found, or why it failed. */
  readonly details: readonly string[];
}

export interface RepoKeeper {
  /** All caches below the root, or those that `which` (a URL or a directory name) means. Exit 4 when it means none. */
  caches(which?: string, workspaceId?: string): Promise<CacheEntry[]>;
  fetch(cache: CacheEntry): Promise<CacheReport>;
  /** Deletes a cache. Never one with checkouts; one with work that exists nowhere else only with `force`, and the work goes to a bundle. */
  drop(cache: CacheEntry, force: boolean): Promise<CacheReport>;
  verify(cache: CacheEntry): Promise<CacheReport>;
  rescues(workspaceId?: string): Promise<KeptWork[]>;
  show(work: KeptWork, options: { stat: boolean }): Promise<string>;
  /** Into an empty or new directory, or as a branch of the cache. */
  restore(work: KeptWork, target: { readonly directory: string } | { readonly branch: string }): Promise<void>;
  forget(work: readonly KeptWork[]): Promise<void>;
}

export interface KeeperOptions {
  /** The workspaces root. */
  readonly root: string;
  readonly clock: Clock;
  readonly env: Readonly<Env>;
  readonly signal?: AbortSignal;
}

const BUSY_AFTER_MS = 10_000;

/** What a person does with caches and rescued work; safe beside running daemons: every step holds the cache's lock. */
export function createRepoKeeper(options: KeeperOptions): RepoKeeper {
  return new Keeper(options);
}

class Keeper implements RepoKeeper {
  readonly #options: KeeperOptions;
  readonly #git: Git;
  readonly #locks: ReturnType<typeof createRepoLocks>;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#git = createGit(options);
    this.#locks = createRepoLocks(options.clock);
  }

  async caches(which?: string, workspaceId?: string): Promise<CacheEntry[]> {
    const found = findCaches(this.#options.root, which, workspaceId);
    if (which !== undefined && found.length === 0) {
      throw new MulticaError("repo_not_cached", `no cache of ${maskCredentials(which)}`, { exit: EXIT.notFound, suggestions: ["multica repo cache list shows what there is."] });
    }
    return Promise.all(found.map((place) => describeCache(this.#git, place, this.#options.clock.now())));
  }

  async fetch(cache: CacheEntry): Promise<CacheReport> {
    return this.#report(cache, async (repo) => {
      if (bareName(cache.url) !== cache.name) return { status: "failed", details: ["its origin is not the repository it is named for; a checkout sets it right"] };
      const outcome = await refreshBare(this.#git, repo, cache.url, { signal: this.#options.signal });
      if (outcome.failure !== undefined) return { status: "failed", details: [errorText(outcome.failure), ...outcome.warnings] };
      return { status: "fetched", details: outcome.warnings };
    });
  }

  async drop(cache: CacheEntry, force: boolean): Promise<CacheReport> {
    return this.#report(cache, async (repo) => {
      await cleanConfig(this.#git, repo.path, this.#options.signal);
      await pruneWorktrees(repo);
      const now = await describeCache(this.#git, { workspaceId: cache.workspace_id, path: cache.path }, this.#options.clock.now());
      if (now.checkouts > 0) return { status: "refused", details: [`${now.checkouts} checkouts use it`] };
      if (now.unpushed && !force) return { status: "refused", details: ["it holds work that is on no remote (--force moves that to a git bundle)"] };
      const kept = now.unpushed ? await bundleWork(repo, this.#options.clock) : undefined;
      const aside = `${cache.path}.tmp-${randomHex(6)}`;
      await moveFile(cache.path, aside);
      await removeTree(aside);
      return { status: "dropped", details: kept === undefined ? [] : [`its work is kept for 30 days in ${kept} (a git bundle)`] };
    });
  }

  async verify(cache: CacheEntry): Promise<CacheReport> {
    return this.#report(cache, async (repo) => {
      const hostile = (await readConfig(this.#git, join(repo.path, "config"), this.#options.signal)).filter(isHostile);
      const found = hostile.map((entry) => `its configuration sets ${entry.key}`);
      // Looked at with that configuration, git could start programs.
      if (found.length > 0) return { status: "findings", details: [...found, "not looked at further: multica repo cache fetch cleans the configuration"] };
      const checked = await repo.run(["fsck", "--no-progress", "--no-dangling"]);
      const lines = `${checked.stdout}\n${checked.stderr}`.split("\n").filter((line) => line !== "" && !line.startsWith("notice:"));
      if (checked.code !== 0) found.push(...(lines.length === 0 ? [`git fsck ended with ${checked.code}`] : lines.slice(0, 50)));
      found.push(...bareLockFiles(repo.path).map((path) => `a lock file was left: ${path}`));
      return { status: found.length === 0 ? "ok" : "findings", details: found };
    });
  }

  async rescues(workspaceId?: string): Promise<KeptWork[]> {
    const { root, clock } = this.#options;
    const all = await Promise.all(
      findCaches(root, undefined, workspaceId).map(async (place) => {
        const entry = await describeCache(this.#git, place, clock.now());
        const list = await listRescues(bareRepo(this.#git, place.path), clock.now());
        return list.map((item) => ({ ...item, workspace_id: place.workspaceId, repository: maskCredentials(entry.url), cache: place.path }));
      }),
    );
    return [...all.flat(), ...listMoved(root, workspaceId)].sort((a, b) => b.at.localeCompare(a.at));
  }

  async show(work: KeptWork, options: { stat: boolean }): Promise<string> {
    if (work.kind === "directory") return `It lies as it was in ${work.cache}\n`;
    return this.#hold(work.cache, (repo) => showRescue(repo, work, options));
  }

  async restore(work: KeptWork, target: { readonly directory: string } | { readonly branch: string }): Promise<void> {
    if ("directory" in target) checkEmpty(target.directory);
    if (work.kind === "directory") {
      if ("branch" in target) throw new MulticaError("no_branch", "a directory becomes no branch", { exit: EXIT.usage, suggestions: ["Name a directory that does not exist yet."] });
      return copyMoved(work, target.directory);
    }
    await this.#hold(work.cache, async (repo) => {
      if ("branch" in target) {
        if (!isPlainBranch(target.branch)) throw new MulticaError("bad_branch", `not a branch name: ${JSON.stringify(target.branch)}`, { exit: EXIT.usage });
        await repo.must("create branch: ", ["update-ref", `refs/heads/${target.branch}`, work.commit, "0".repeat(work.commit.length)]);
        return;
      }
      await ensureDir(target.directory);
      await restoreFiles(this.#git, repo, work, target.directory);
    });
  }

  async forget(work: readonly KeptWork[]): Promise<void> {
    for (const item of work.filter(({ kind }) => kind === "directory")) await dropMoved(this.#options.root, item);
    for (const cache of new Set(work.filter(({ kind }) => kind !== "directory").map((item) => item.cache))) {
      await this.#hold(cache, async (repo) => {
        const mine = work.filter((item) => item.cache === cache);
        const present = await listRescues(repo, this.#options.clock.now());
        await dropRescues(repo, mine.map((item) => findRescue(present, item.ref)));
      });
    }
  }

  #hold<T>(bare: string, fn: (repo: BareRepo) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    return this.#locks.hold(bare, { waitMs: BUSY_AFTER_MS, ...(signal === undefined ? {} : { signal }) }, async (held) => {
      await cleanConfig(this.#git, bare, signal);
      return fn(bareRepo(this.#git, bare, signal, held.staleAfterMs));
    });
  }

  async #report(cache: CacheEntry, fn: (repo: BareRepo) => Promise<Pick<CacheReport, "status" | "details">>): Promise<CacheReport> {
    const common = { workspace_id: cache.workspace_id, name: basename(cache.path), repository: maskCredentials(cache.url) };
    const { signal } = this.#options;
    try {
      const outcome = await this.#locks.hold(cache.path, { waitMs: BUSY_AFTER_MS, ...(signal === undefined ? {} : { signal }) }, (held) =>
        fn(bareRepo(this.#git, cache.path, signal, held.staleAfterMs)),
      );
      return { ...common, ...outcome };
    } catch (error) {
      signal?.throwIfAborted();
      return { ...common, status: isMulticaError(error, "repo_busy") ? "busy" : "failed", details: [errorText(error)] };
    }
  }
}

function checkEmpty(directory: string): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isDirectory() && readdirSync(directory).length === 0)) return;
  throw new MulticaError("path_taken", `not an empty directory: ${directory}`, { exit: EXIT.conflict, suggestions: ["Name a directory that does not exist yet."] });
}
