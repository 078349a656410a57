import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText, isMulticaError, randomHex } from "../core/index.ts";
import { type Clock, moveFile, removeEmptyDirectory, removeFile, removeTree, tryFileLock, writeFileAtomic } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { expireBundles } from "./bundle.ts";
import { cleanConfig } from "./config-guard.ts";
import { pruneWorktrees } from "./fetch.ts";
import { type Git, type GitAnswer, gitFailure } from "./git.ts";
import { type CachePlace, bytesBelow, countWorktrees, findCaches, hasUnpushed } from "./inventory.ts";
import { expireMoved } from "./kept.ts";
import type { RepoLocks } from "./locks.ts";
import { isPartial } from "./partial.ts";
import { type BareRepo, bareRepo, lastUsed, stampUsed } from "./repo.ts";
import { expireRescues } from "./rescue-refs.ts";
import { branchRescueName } from "./rescue.ts";
import { bareLockFiles } from "./stale-lock.ts";

export interface MaintenanceRequest {
  /** Age at which a cache that nobody claims goes; 0: never. */
  readonly evictAfterMs: number;
  /** Whether objects are packed and pruned at all. */
  readonly pack: boolean;
  /** True while nothing else runs: packing is done only then; asked again between its steps. */
  isIdle(): boolean;
  /** Whether a workspace or a task claims the cache of this name; from memory, so that an outage is not taken for a no. */
  isClaimed(workspaceId: string, name: string): boolean;
  readonly signal: AbortSignal;
}

export interface MaintenanceReport {
  readonly branches: number;
  readonly rescuesExpired: number;
  readonly packed: number;
  readonly evicted: number;
  readonly bytes: number;
}

interface Parts {
  readonly root: string;
  readonly git: Git;
  readonly locks: RepoLocks;
  readonly clock: Clock;
  readonly logger: Logger;
}

const STEP_MS = 30_000;
const PACK_MS = 600_000;
const HALF_CLONE_MS = 24 * 3_600_000;
const MARKER = ".multica-maintenance-pending";
const AGENT = "refs/heads/agent/";

/** One round over all caches (repocache.md 17). A cache that somebody uses or waits for is left for the next round. */
export async function maintainCaches(parts: Parts, request: MaintenanceRequest): Promise<MaintenanceReport> {
  const total = { branches: 0, rescuesExpired: 0, packed: 0, evicted: 0, bytes: 0 };
  const { root, locks, logger } = parts;
  for (const place of findCaches(root)) {
    if (request.signal.aborted) break;
    try {
      const done = await locks.maintain(place.path, request.signal, (signal, held) => {
        const repo = bareRepo(parts.git, place.path, signal, held.staleAfterMs);
        return maintainOne(parts, request, place, { repo, signal });
      });
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += done?.[key] ?? 0;
    } catch (error) {
      if (isMulticaError(error, "maintenance_stopped") || request.signal.aborted) continue;
      logger.warn("gc: repository not maintained", { cache: place.path, error: errorText(error) });
    }
  }
  total.rescuesExpired += await expireMoved(root, parts.clock.now());
  await sweepWorkspaces(root, parts.clock.now());
  return total;
}

interface Turn {
  readonly repo: BareRepo;
  readonly signal: AbortSignal;
}

async function maintainOne(parts: Parts, request: MaintenanceRequest, place: CachePlace, turn: Turn): Promise<MaintenanceReport> {
  const { git, clock } = parts;
  const { repo, signal } = turn;
  await cleanConfig(git, repo.path, signal);
  await pruneWorktrees(repo);
  const branches = await dropDeadBranches(parts, repo);
  if (branches > 0) await writeFileAtomic(join(repo.path, MARKER), `${new Date(clock.now()).toISOString()}\n`, { mode: 0o600 });
  const rescuesExpired = await expireRescues(repo, clock.now());
  await removeHalfClones(repo.path, clock.now());
  const packed = (await pack(parts, request, turn)) ? 1 : 0;
  const bytes = await evict(parts, request, place, repo);
  return { branches, rescuesExpired, packed, evicted: bytes === undefined ? 0 : 1, bytes: bytes ?? 0 };
}

/** Branches of checkouts that are gone; commits that no remote has are kept as rescue refs first. */
async function dropDeadBranches({ logger }: Parts, repo: BareRepo): Promise<number> {
  const listed = await repo.lines(["worktree", "list", "--porcelain"]);
  const used = new Set(listed.filter((line) => line.startsWith("branch ")).map((line) => line.slice("branch ".length)));
  // The trailing slash: without it a branch that is literally called `agent` would be taken for one of ours.
  const all = await repo.lines(["for-each-ref", "--format=%(objectname) %(refname)", AGENT]);
  let dropped = 0;
  for (const line of all) {
    const [commit = "", ref = ""] = line.split(" ");
    if (used.has(ref) || !ref.startsWith(AGENT)) continue;
    const branch = ref.slice("refs/heads/".length);
    const outside = await repo.ask(["rev-list", "-n", "1", commit, "--not", "--remotes=origin"]);
    if (outside.code !== 0) continue;
    if (outside.stdout.trim() !== "") await repo.must("keep unpushed branch: ", ["update-ref", branchRescueName(repo.path, { branch, commit }), commit]);
    // git itself refuses a branch under rebase.
    const answer = await repo.run(["branch", "-D", "--", branch], { timeoutMs: STEP_MS });
    if (answer.code === 0) dropped += 1;
    else logger.warn("gc: branch not deleted", { branch, error: errorText(gitFailure("", answer)) });
  }
  return dropped;
}

async function removeHalfClones(bare: string, nowMs: number): Promise<void> {
  const parent = dirname(bare);
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (path.startsWith(`${bare}.tmp-`) && stat !== undefined && nowMs - stat.mtimeMs > HALF_CLONE_MS) await removeTree(path);
  }
}

/** Packs and prunes when branches went now or before; true when all of it was done. */
async function pack({ logger }: Parts, request: MaintenanceRequest, { repo, signal }: Turn): Promise<boolean> {
  const marker = join(repo.path, MARKER);
  if (!request.pack || lstatSync(marker, { throwIfNoEntry: false }) === undefined) return false;
  // Stashes live in a reflog only: they never expire.
  const expiry = ["gc.reflogExpire=30.days", "gc.reflogExpireUnreachable=30.days", "gc.refs/stash.reflogExpire=never", "gc.refs/stash.reflogExpireUnreachable=never"];
  // git cannot write bitmaps where objects are missing, and gives packing up for that.
  const settings = [...expiry, ...((await isPartial(repo)) ? ["repack.writeBitmaps=false"] : [])].flatMap((item) => ["-c", item]);
  const steps: readonly (readonly [string[], number])[] = [
    [[...settings, "reflog", "expire", "--all"], STEP_MS],
    [[...settings, "gc", "--prune=30.days", "--quiet"], PACK_MS],
  ];
  for (const [args, timeoutMs] of steps) {
    if (!request.isIdle() || signal.aborted) return false;
    const before = new Set(bareLockFiles(repo.path));
    const answer = await repo.run(args, { timeoutMs }).catch((error: unknown) => error);
    const isDone = !(answer instanceof Error) && (answer as { code: number }).code === 0;
    if (isDone) continue;
    for (const path of bareLockFiles(repo.path)) if (!before.has(path)) await removeFile(path);
    logger.info("gc: packing ended early", { cache: repo.path, error: errorText(answer instanceof Error ? answer : gitFailure("", answer as GitAnswer)) });
    signal.throwIfAborted();
    return false;
  }
  await removeFile(marker);
  return true;
}

/** The bytes that went with the cache, or undefined when it stays: doubt means keep. */
async function evict(parts: Parts, request: MaintenanceRequest, place: CachePlace, repo: BareRepo): Promise<number | undefined> {
  const { clock, git, logger } = parts;
  const name = place.path.slice(dirname(place.path).length + 1);
  if (request.evictAfterMs <= 0 || request.isClaimed(place.workspaceId, name) || countWorktrees(repo.path) > 0) return undefined;
  const used = lastUsed(repo.path);
  if (used === undefined) {
    // Unknown is not ancient: the time starts now.
    await stampUsed(repo.path, clock.now());
    return undefined;
  }
  if (clock.now() - used < request.evictAfterMs || (await hasUnpushed(git, repo.path))) return undefined;
  const bytes = bytesBelow(repo.path);
  if (request.isClaimed(place.workspaceId, name) || countWorktrees(repo.path) > 0) return undefined;
  const aside = `${repo.path}.tmp-${randomHex(6)}`;
  await moveFile(repo.path, aside);
  await removeTree(aside);
  logger.info("gc: repo cache evicted", { cache: repo.path, bytes });
  return bytes;
}

/** Workspaces of which nothing but lock files is left. */
async function sweepWorkspaces(root: string, nowMs: number): Promise<void> {
  const top = join(root, ".repos");
  if (lstatSync(top, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const workspace of readdirSync(top)) {
    const directory = join(top, workspace);
    if (!lstatSync(directory).isDirectory()) continue;
    await expireBundles(directory, nowMs);
    if (readdirSync(directory).every((name) => /\.git\.lock(\.wanted)?$/.test(name))) await removeLocks(directory);
  }
}

async function removeLocks(directory: string): Promise<void> {
  const names = readdirSync(directory);
  const locks = names.filter((name) => name.endsWith(".lock")).map((name) => tryFileLock(join(directory, name)));
  try {
    if (locks.includes(null)) return;
    for (const name of names) await removeFile(join(directory, name));
  } finally {
    for (const lock of locks) lock?.release();
  }
  await removeEmptyDirectory(directory).catch(() => undefined);
}
