import { basename, dirname, join } from "node:path";
import { MulticaError, errorText, isMulticaError } from "../core/index.ts";
import { type Clock, type Env, isInside, realPathIfExists } from "../platform/index.ts";
import { findCheckouts, gitDirectories } from "./below.ts";
import { cleanConfig, cleanWorktreeConfig } from "./config-guard.ts";
import { type Git, type GitCall, createGit, gitFailure } from "./git.ts";
import { type RepoLocks, createRepoLocks } from "./locks.ts";
import { bareName, workspaceSegment } from "./names.ts";
import { readRecord } from "./record.ts";
import { isObjectId, readPlain } from "./refs-text.ts";
import { bareRepo, isBareRepo } from "./repo.ts";
import { rescueWork } from "./rescue.ts";
import { type Scene, readScene } from "./scene.ts";
import { excludeText, readStatus } from "./status.ts";
import type { UnpushedWork } from "./unpushed.ts";
import { withView } from "./view.ts";

export interface SalvageRequest {
  /** The workspaces root, where the caches are. */
  readonly root: string;
  readonly workspaceId: string;
  /** What is about to be deleted; nobody may be working in it. */
  readonly directory: string;
  /** Whose work it is where a checkout does not say. */
  readonly taskId: string;
  readonly clock: Clock;
  readonly env: Readonly<Env>;
  readonly signal?: AbortSignal | undefined;
}

export interface SavedWork {
  /** The checkout it was in. */
  readonly path: string;
  /** The cache that keeps it now, and under which name. */
  readonly cache: string;
  readonly ref: string;
  readonly commit: string;
}

export interface Salvage {
  readonly saved: readonly SavedWork[];
  /** Repositories that no cache is kept of, or that git cannot read: what is in them cannot be kept by us. */
  readonly homeless: readonly UnpushedWork[];
}

const BUSY_AFTER_MS = 30_000;

/**
 * Writes everything in the checkouts below a directory that exists nowhere else to rescue refs in their caches, before
 * the directory goes: uncommitted and untracked files, branches, tags and stashes on no remote. Ignored files do not
 * count. Commits of a linked checkout are in the cache already. Throws when work that has a cache could not be saved
 * (`rescue_failed`, `repo_busy`): then nothing may be deleted.
 */
export async function salvageCheckouts(request: SalvageRequest): Promise<Salvage> {
  const { checkouts, complete } = findCheckouts(request.directory);
  if (!complete) throw refused(request.directory, "it has too many directories to look for checkouts in");
  const parts = { git: createGit(request), locks: createRepoLocks(request.clock) };
  const saved: SavedWork[] = [];
  const homeless: UnpushedWork[] = [];
  for (const path of checkouts) {
    try {
      const found = await findHome(parts.git, path, request);
      if (found === null) homeless.push({ path, what: "its repository has no cache here" });
      else saved.push(...(await save(parts, found, request)));
    } catch (error) {
      if (!isMulticaError(error, "checkout_unreadable") && !isMulticaError(error, "repo_damaged")) throw error;
      homeless.push({ path, what: errorText(error) });
    }
  }
  return { saved, homeless };
}

interface Found {
  readonly scene: Scene;
  readonly cache: string;
}

/** The cache that can keep what is in a checkout: the one it is linked to, or the one of its origin. Null: there is none. */
async function findHome(git: Git, path: string, request: SalvageRequest): Promise<Found | null> {
  const place = gitDirectories(path);
  if (place === null) throw unreadable(path, "its git directory is gone");
  const caches = join(request.root, ".repos", workspaceSegment(request.workspaceId));
  const common = realPathIfExists(place.common);
  const own = realPathIfExists(place.own);
  if (common === undefined || own === undefined) throw unreadable(path, "its git directory is gone");
  if (dirname(common) === realPathIfExists(caches)) {
    const scene = readScene({ path, mode: "linked", gitDir: own, common });
    if (scene.fault !== undefined || dirname(own) !== join(common, "worktrees") || !isBareRepo(common)) throw unreadable(path, scene.fault ?? "its registration lies elsewhere");
    return { scene, cache: common };
  }
  // A repository of its own, or a worktree that the agent made of one.
  const inside = isInside(realPathIfExists(request.directory) ?? request.directory, common);
  if (!inside) throw unreadable(path, "its git directory lies elsewhere");
  const config = await cleanConfig(git, common, request.signal);
  const value = (key: string): string | undefined => config.entries.findLast((entry) => entry.key === key)?.value;
  const url = value("remote.origin.url");
  const name = value("multica.repo") ?? (url === undefined ? undefined : bareName(url));
  const cache = name === undefined || name !== basename(name) ? undefined : join(caches, name);
  if (cache === undefined || !isBareRepo(cache)) return null;
  const scene = readScene({ path, mode: own === common ? "isolated" : "linked", gitDir: own, common });
  if (scene.fault !== undefined) throw unreadable(path, scene.fault);
  return { scene: { ...scene, mode: "isolated" }, cache };
}

async function save({ git, locks }: { readonly git: Git; readonly locks: RepoLocks }, { scene, cache }: Found, request: SalvageRequest): Promise<SavedWork[]> {
  const { clock } = request;
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  return locks.hold(cache, { waitMs: BUSY_AFTER_MS, ...signal }, async (held) => {
    await cleanConfig(git, cache, request.signal);
    if (scene.gitDir !== scene.common) await cleanWorktreeConfig(git, scene.gitDir, request.signal);
    const repo = bareRepo(git, cache, request.signal, held.staleAfterMs);
    const objects = [...new Set([join(scene.common, "objects"), join(cache, "objects")])];
    const head = scene.head === undefined ? {} : { head: scene.head };
    return withView({ cache, objects, exclude: excludeText(scene), ...head, ...signal }, async (view) => {
      const status = await readStatus(git, view, scene);
      const branches = scene.mode === "linked" ? [] : await ownRefs(git, scene, signal);
      const taskId = readRecord(scene.gitDir)?.taskId ?? request.taskId;
      const done = await rescueWork({ git, view, repo, scene, status, taskId, clock, branches, ...signal });
      if (!done.untrackedSaved) throw refused(scene.path, "it has more untracked data than is saved");
      const kept = done.saved.map(({ ref, commit }) => ({ path: scene.path, cache, ref, commit }));
      // The branch of a linked checkout lies in the cache: it stays, and tidying keeps what is on no remote.
      const own = scene.mode === "linked" && scene.branch !== undefined && scene.head !== undefined ? { branch: scene.branch, head: scene.head } : undefined;
      if (own === undefined || (await isPushed(git, view.call(["rev-list", "-n", "1", own.head, "--not", "--remotes=origin"], { cwd: cache, gitDir: cache })))) return kept;
      return [...kept, { path: scene.path, cache, ref: `refs/heads/${own.branch}`, commit: own.head }];
    });
  });
}

/** Branches, tags and stashes of a repository of its own whose commits no remote has. */
async function ownRefs(git: Git, scene: Scene, signal: { signal?: AbortSignal }): Promise<{ branch: string; commit: string }[]> {
  const call = (args: readonly string[]): GitCall => ({ args, cwd: scene.path, gitDir: scene.common, ...signal });
  const answer = await git.ask(call(["for-each-ref", "--format=%(objectname) %(*objectname) %(refname)", "refs/heads/", "refs/tags/"]));
  if (answer.code !== 0) throw unreadable(scene.path, errorText(gitFailure("git for-each-ref: ", answer)));
  const refs = answer.stdout.split("\n").flatMap((line) => {
    const [id = "", peeled = "", ref = ""] = line.split(" ");
    return ref === "" ? [] : [{ branch: ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : ref.slice("refs/".length), commit: peeled === "" ? id : peeled }];
  });
  const stashes = (readPlain(join(scene.common, "logs", "refs", "stash")) ?? "")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter(isObjectId)
    .map((commit, at) => ({ branch: `stash/${at + 1}`, commit }));
  const found: { branch: string; commit: string }[] = [];
  for (const item of [...refs, ...stashes]) {
    // A tag may name what is no commit.
    if ((await git.ask(call(["cat-file", "-e", `${item.commit}^{commit}`]))).code !== 0) continue;
    if (!(await isPushed(git, call(["rev-list", "-n", "1", item.commit, "--not", "--remotes=origin"])))) found.push(item);
  }
  return found;
}

async function isPushed(git: Git, call: GitCall): Promise<boolean> {
  const answer = await git.ask(call);
  return answer.code === 0 && answer.stdout.trim() === "";
}

function unreadable(path: string, why: string): MulticaError {
  return new MulticaError("checkout_unreadable", `git cannot read ${path}: ${why}`);
}

function refused(path: string, why: string): MulticaError {
  const suggestions = ["Nothing was deleted. Save or move what is in it yourself, then delete it."];
  return new MulticaError("rescue_failed", `cannot save the work in ${path}: ${why}`, { suggestions, retry: "later" });
}
