import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, KeyedMutex, MulticaError, isMulticaError } from "../core/index.ts";
import type { Clock } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { type Base, resolveBase } from "./base.ts";
import { applyCommitHook } from "./commit-hook.ts";
import { writeExcludes } from "./excludes.ts";
import { type CheckoutMode, type Place, inspectPlace } from "./existing.ts";
import type { Git } from "./git.ts";
import { addIsolated, takenError } from "./isolated.ts";
import { addLinked } from "./linked.ts";
import type { Held } from "./locks.ts";
import { branchName, checkoutNames } from "./names.ts";
import { writeRecord } from "./record.ts";
import { type BareRepo, bareRepo } from "./repo.ts";
import type { Rescued } from "./rescue.ts";
import { type ReuseInput, type ReuseResult, removeLinked, reuseCheckout, setAside } from "./reuse.ts";
import type { Scene } from "./scene.ts";
import { checkedUrl } from "./url.ts";

export interface CheckoutRequest {
  readonly workspaceId: string;
  readonly url: string;
  /** Existing directory that the checkout goes into; the caller has authorised it. */
  readonly workdir: string;
  readonly taskId: string;
  readonly agentName: string;
  /** Branch, tag or commit; blank or absent: the remote's default branch. */
  readonly ref?: string;
  /** True when `ref` is a default that nobody typed: it is no reason to move a checkout that is there. */
  readonly refImplied?: boolean;
  readonly mode: CheckoutMode;
  /** Whether commits get the co-author trailer; absent: hooks are left as they are. */
  readonly coAuthor?: boolean;
  /** Monotonic time at which the caller asked: a fetch that began after it is fresh enough. */
  readonly askedAt?: number;
  readonly signal?: AbortSignal;
  /** Limit of the wait for the repository's lock, then `repo_busy`; absent: no limit. */
  readonly busyAfterMs?: number;
}

export interface CheckoutResult {
  readonly path: string;
  /** The branch that is checked out; empty for a checkout found with a detached HEAD. */
  readonly branchName: string;
  readonly mode: CheckoutMode;
  /** True when the checkout was the task's own already; no file in it was touched. */
  readonly reused: boolean;
  /** True when the remote could not be asked: the code may be old. */
  readonly stale: boolean;
  readonly baseRef?: string;
  readonly baseCommit?: string;
  /** Work of an earlier task that was in the way and was saved. */
  readonly rescued?: Rescued;
  readonly warnings: readonly string[];
}

export interface CheckoutParts {
  readonly git: Git;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Made = Omit<CheckoutResult, "stale">;

/** Checkouts below workdirs, one at a time in each; the caller holds the cache and has refreshed it. */
export class Checkouts {
  readonly #parts: CheckoutParts;
  readonly #workdirs = new KeyedMutex();

  constructor(parts: CheckoutParts) {
    this.#parts = parts;
  }

  place(request: CheckoutRequest, bare: string, held: Held, warnings: string[]): Promise<Made> {
    const job = new Job(this.#parts, request, bareRepo(this.#parts.git, bare, request.signal, held.staleAfterMs), held, warnings);
    return this.#workdirs.run(request.workdir, () => job.run(), request.signal === undefined ? {} : { signal: request.signal });
  }
}

/** One request. */
class Job {
  readonly #parts: CheckoutParts;
  readonly #request: CheckoutRequest;
  readonly #repo: BareRepo;
  readonly #held: Held;
  readonly #warnings: string[];
  #saved: readonly Rescued[] = [];

  constructor(parts: CheckoutParts, request: CheckoutRequest, repo: BareRepo, held: Held, warnings: string[]) {
    this.#parts = parts;
    this.#request = request;
    this.#repo = repo;
    this.#held = held;
    this.#warnings = warnings;
  }

  async run(): Promise<Made> {
    const request = this.#request;
    const { path, place } = await this.#choose();
    const base = await resolveBase(this.#repo, request.url, request.ref);
    if (place.kind === "broken") await this.#setAside(path, place.why);
    if (place.kind === "half") await this.#orSetAside(path, () => removeLinked(this.#reuse(place.scene, base), true));
    if (place.kind === "ours") {
      const reused = await this.#orSetAside(path, () => this.#continue(place.scene, base));
      if (reused !== undefined && reused !== "free") return this.#finish({ path, mode: place.scene.mode, base, branch: reused.branch, kept: reused.kept });
    }
    const branch = await this.#create(path, base);
    return this.#finish({ path, mode: request.mode, base, branch, kept: false });
  }

  /** The repository's own name, or the distinct one when another repository's checkout has it (1.2). */
  async #choose(): Promise<{ path: string; place: Place }> {
    const { url, workdir, signal, mode } = this.#request;
    const names = checkoutNames(url);
    let last: { path: string; place: Place } | undefined;
    for (const name of new Set([names.plain, names.distinct])) {
      const path = join(workdir, name);
      last = { path, place: await inspectPlace(this.#parts.git, path, this.#repo.path, signal) };
      if (last.place.kind !== "other") break;
    }
    if (last === undefined || last.place.kind === "other" || last.place.kind === "taken") throw takenError(last?.path ?? workdir, mode);
    return last;
  }

  #reuse(scene: Scene, base: Base): ReuseInput {
    const { git, clock } = this.#parts;
    const { taskId, agentName, ref, refImplied, url, signal } = this.#request;
    return {
      git,
      clock,
      repo: this.#repo,
      scene,
      base,
      taskId,
      branch: branchName(agentName, taskId),
      ref: refImplied === true ? "" : (ref ?? "").trim(),
      url: checkedUrl(url),
      staleAfterMs: this.#held.staleAfterMs,
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** The checkout goes on for this task; or it makes room for one of the other kind ("free"). */
  async #continue(scene: Scene, base: Base): Promise<ReuseResult | "free"> {
    const input = this.#reuse(scene, base);
    if (scene.mode === "linked" && this.#request.mode === "isolated") {
      const removed = await removeLinked(input);
      this.#took(removed.saved);
      if (removed.asidePath !== undefined) this.#warnings.push(`the linked checkout holds what cannot be saved and was moved to ${removed.asidePath}`);
      if (!removed.kept) return "free";
      this.#warnings.push("the checkout that is there is linked, not isolated, and has this task's work: it was left as it is");
      return { branch: scene.branch ?? "", kept: true, saved: [], warnings: [] };
    }
    const done = await reuseCheckout(input);
    this.#took(done.saved);
    this.#warnings.push(...done.warnings);
    return done;
  }

  #took(saved: readonly Rescued[]): void {
    this.#saved = [...this.#saved, ...saved];
    for (const one of saved) this.#parts.logger.info("work rescued", { ref: one.ref, commit: one.commit, files: one.files });
  }

  /** A checkout that git cannot read gets another name; undefined then. */
  async #orSetAside<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isMulticaError(error, "checkout_unreadable")) throw error;
      await this.#setAside(path, "git cannot read it");
      return undefined;
    }
  }

  async #setAside(path: string, why: string): Promise<void> {
    const to = await setAside(path, this.#parts.clock);
    await this.#repo.run(["worktree", "unlock", "--", path]);
    await this.#repo.run(["worktree", "prune"]);
    this.#warnings.push(`the checkout that was there could not be used (${why}) and was moved to ${to}`);
    this.#parts.logger.warn("checkout set aside", { path, to, why });
  }

  async #create(path: string, base: Base): Promise<string> {
    const { clock, git } = this.#parts;
    const { agentName, taskId, mode, signal, url } = this.#request;
    const common = { repo: this.#repo, path, base, clock, branch: branchName(agentName, taskId) };
    if (mode === "linked") return addLinked(common);
    const passed = signal === undefined ? {} : { signal };
    return addIsolated({ ...common, ...passed, git, url: checkedUrl(url), taskId, stem: checkoutNames(url).distinct });
  }

  /** Excludes, hook and record: none of them is a reason to fail (repocache.md 11, 12). */
  async #finish(made: { readonly path: string; readonly mode: CheckoutMode; readonly base: Base; readonly branch: string; readonly kept: boolean }): Promise<Made> {
    const { path, mode, base, branch, kept } = made;
    const { coAuthor, taskId, ref } = this.#request;
    const gitDir = mode === "isolated" ? join(path, ".git") : registrationOf(path);
    const common = mode === "isolated" ? join(path, ".git") : this.#repo.path;
    await writeExcludes(common);
    if (coAuthor !== undefined) {
      const warning = await applyCommitHook(common, coAuthor);
      if (warning !== undefined) this.#warnings.push(warning);
    }
    if (gitDir !== undefined && !kept) {
      await writeRecord(gitDir, { taskId, ref: (ref ?? "").trim() }).catch((error: unknown) => this.#parts.logger.warn("checkout not recorded", { path, error: String(error) }));
    }
    const first = this.#saved[0];
    return {
      path,
      branchName: branch,
      mode,
      reused: kept,
      warnings: this.#warnings,
      ...(kept ? {} : { baseRef: base.ref, baseCommit: base.commit }),
      ...(first === undefined ? {} : { rescued: first }),
    };
  }
}

function registrationOf(path: string): string | undefined {
  const file = join(path, ".git");
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  return /^gitdir: (.+?)\s*$/.exec(readFileSync(file, "utf8"))?.[1];
}

/** The error for a workdir that is not there. */
export function missingWorkdir(workdir: string): MulticaError {
  return new MulticaError("workdir_missing", `not a directory: ${workdir}`, { exit: EXIT.validation });
}
