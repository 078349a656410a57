import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type CleanConfig, cleanConfig } from "./config-guard.ts";
import { type Git, gitFailure } from "./git.ts";
import { ensureRefspec, refreshHeadBranch } from "./layout.ts";
import { bareName } from "./names.ts";
import { isObjectId, readPlain } from "./refs-text.ts";
import type { BareRepo } from "./repo.ts";
import { RESCUE } from "./rescue.ts";
import { checkedUrl } from "./url.ts";

export interface FetchOutcome {
  /** Why the remote could not be asked; undefined when the cache is fresh. */
  readonly failure?: unknown;
  readonly warnings: readonly string[];
}

export interface RefreshOptions {
  readonly signal?: AbortSignal | undefined;
  /** Leave the remote alone: somebody has just asked it. */
  readonly offline?: boolean;
  /** Configurations that were clean when last looked at. */
  readonly known?: Map<string, CleanConfig>;
}

const REMOTES = "refs/remotes/origin/";
/** For the remote's list of refs: the largest ones answer within seconds. */
const LOOK_MS = 60_000;

/**
 * Makes an existing cache safe to work on and brings it up to date. A remote that cannot be reached is an outcome, not an
 * error: work goes on with what is there. Throws only when the cache itself cannot be used (repocache.md 3, 4).
 */
export async function refreshBare(git: Git, repo: BareRepo, url: string, options: RefreshOptions = {}): Promise<FetchOutcome> {
  const config = await cleanConfig(git, repo.path, options.signal, options.known);
  const warnings = config.removed.map((key) => `removed ${key} from the configuration of the repository cache`);
  const origins = config.entries.filter((entry) => entry.key === "remote.origin.url").map((entry) => entry.value);
  if (origins.length !== 1 || !sameRepository(origins[0] ?? "", repo.path)) {
    await repo.must("set origin: ", ["config", "--replace-all", "remote.origin.url", url]);
    if (origins.length > 0) warnings.push("origin of the repository cache pointed elsewhere and was set right");
  }
  await ensureRefspec(repo, config.entries);
  await pruneWorktrees(repo);
  if (options.offline === true) return { warnings };
  try {
    await update(repo);
    return { warnings };
  } catch (failure) {
    options.signal?.throwIfAborted();
    return { failure, warnings };
  }
}

/**
 * Asks the remote for its refs and fetches only when they differ from what is here: most of the time one look is all, and
 * what the remote calls its default branch comes with it (plain fetch never moves `origin/HEAD`).
 */
async function update(repo: BareRepo): Promise<void> {
  // A remote that hangs must not hold an agent longer than its command waits: what is cached will do then.
  const asked = await repo.run(["ls-remote", "--symref", "origin", "HEAD", "refs/heads/*", "refs/tags/*"], { timeoutMs: LOOK_MS });
  if (asked.code !== 0) throw gitFailure("git fetch: ", asked);
  const remote = parseRemote(asked.stdout);
  const local = await localRefs(repo);
  if (differs(remote, local)) {
    const fetched = await repo.run(["fetch", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "origin"]);
    if (fetched.code !== 0) throw gitFailure("git fetch: ", fetched);
    await refreshHeadBranch(repo);
  }
  if (remote.head === undefined) {
    // An old server does not tell; git guesses then. It fails on an empty remote.
    if (remote.refs.size > 0) await repo.run(["remote", "set-head", "origin", "--auto"]);
  } else if (local.head !== remote.head && remote.refs.has(`refs/heads/${remote.head}`)) {
    await repo.must("set origin/HEAD: ", ["symbolic-ref", `${REMOTES}HEAD`, `${REMOTES}${remote.head}`]);
  }
}

interface Refs {
  readonly refs: ReadonlyMap<string, string>;
  /** The default branch, when it is told. */
  readonly head: string | undefined;
}

function parseRemote(text: string): Refs {
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of text.split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    if (value.startsWith("ref: refs/heads/") && name === "HEAD") head = value.slice("ref: refs/heads/".length);
    // A remote branch that is literally called HEAD would take the place of the symbolic ref.
    else if (isObjectId(value) && /^refs\/(heads|tags)\//.test(name) && !name.endsWith("^{}") && name !== "refs/heads/HEAD") refs.set(name, value);
  }
  return { refs, head };
}

async function localRefs(repo: BareRepo): Promise<Refs> {
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of await repo.lines(["for-each-ref", "--format=%(objectname) %(refname) %(symref)", REMOTES, "refs/tags/"])) {
    const [id = "", name = "", target = ""] = line.split(" ");
    if (name === `${REMOTES}HEAD`) head = target.slice(REMOTES.length);
    else refs.set(name.startsWith(REMOTES) ? `refs/heads/${name.slice(REMOTES.length)}` : name, id);
  }
  return { refs, head };
}

/** Tags that only this side has are somebody's own; branches are not. */
function differs(remote: Refs, local: Refs): boolean {
  for (const [name, id] of remote.refs) if (local.refs.get(name) !== id) return true;
  return [...local.refs.keys()].some((name) => name.startsWith("refs/heads/") && !remote.refs.has(name));
}

/**
 * Forgets linked checkouts whose directory is gone: they would block the reuse of path and branch (18 i). Commits that
 * only such a checkout's detached `HEAD` led to are kept as a rescue ref.
 */
export async function pruneWorktrees(repo: BareRepo): Promise<void> {
  const root = join(repo.path, "worktrees");
  const isDirectory = lstatSync(root, { throwIfNoEntry: false })?.isDirectory() === true;
  const gone = isDirectory ? readdirSync(root).filter((id) => isGone(join(root, id))) : [];
  if (gone.length === 0) return;
  for (const id of gone) {
    const head = readPlain(join(root, id, "HEAD"))?.trim() ?? "";
    if (isObjectId(head)) {
      const found = await repo.ask(["rev-list", "-n", "1", head, "--not", "--branches", "--remotes=origin", "--glob=refs/multica"]);
      if (found.code === 0 && found.stdout.trim() !== "") await repo.run(["update-ref", `${RESCUE}head/${id}-${head.slice(0, 12)}`, head]);
    }
    // Written while a checkout is made: whoever made this one is dead, since the repository is ours now.
    if (readPlain(join(root, id, "locked"))?.trim() === "initializing") await repo.run(["worktree", "unlock", "--", dirname(readPlain(join(root, id, "gitdir"))?.trim() ?? "")]);
  }
  await repo.run(["worktree", "prune"]);
}

function isGone(registration: string): boolean {
  const target = readPlain(join(registration, "gitdir"))?.trim();
  if (target === undefined) return true;
  return lstatSync(target, { throwIfNoEntry: false }) === undefined;
}

/** An agent can write the cache's origin; the URL it was cloned by is another form of the same name, or it is not ours. */
function sameRepository(origin: string, bare: string): boolean {
  try {
    return bareName(checkedUrl(origin)) === basename(bare);
  } catch {
    return false;
  }
}
