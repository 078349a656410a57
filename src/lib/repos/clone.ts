import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { randomHex } from "../core/index.ts";
import { moveFile, removeTree } from "../platform/index.ts";
import { cleanConfig } from "./config-guard.ts";
import { type Git, gitFailure } from "./git.ts";
import { ensureRefspec, layOutFreshClone, refreshHeadBranch } from "./layout.ts";
import { bareRepo } from "./repo.ts";
import { bareName } from "./names.ts";
import { checkedUrl } from "./url.ts";

export interface CloneProgress {
  /** What git is doing, in its own words: `Receiving objects`. */
  readonly stage: string;
  readonly percent: number;
}

/**
 * Clones `url` to `bare` through a temporary name beside it: what bears the final name is complete, whatever happened.
 * The caller holds the repository's lock, so older temporary directories belong to the dead and go (repocache.md 3).
 */
export async function cloneBare(
  git: Git,
  bare: string,
  url: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: CloneProgress) => void },
): Promise<void> {
  const parent = dirname(bare);
  const prefix = `${basename(bare)}.tmp-`;
  for (const name of readdirSync(parent)) if (name.startsWith(prefix)) await removeTree(join(parent, name));
  const temporary = join(parent, `${prefix}${randomHex(6)}`);
  try {
    await git.must("git clone --bare: ", {
      args: ["clone", "--bare", "--progress", "--", url, temporary],
      cwd: parent,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onStderr: (text) => reportProgress(text, options.onProgress),
    });
    await layOutFreshClone(bareRepo(git, temporary, options.signal));
    await makeRoom(bare);
    await moveFile(temporary, bare);
  } catch (error) {
    await removeTree(temporary);
    throw error;
  }
}

/** A half-deleted cache makes room. Where objects are left, so may be an agent's commits: it is set aside, not deleted. */
async function makeRoom(bare: string): Promise<void> {
  if (lstatSync(join(bare, "objects"), { throwIfNoEntry: false }) === undefined) await removeTree(bare);
  else await moveFile(bare, `${bare}.broken-${randomHex(6)}`);
}

function reportProgress(text: string, listener: ((progress: CloneProgress) => void) | undefined): void {
  if (listener === undefined) return;
  for (const match of text.matchAll(/(?:remote: )?([A-Z][a-z]+(?: [a-z]+)*):\s+(\d{1,3})%/g)) {
    listener({ stage: match[1] ?? "", percent: Number(match[2]) });
  }
}

export interface FetchOutcome {
  /** Why the remote could not be asked; undefined when the cache is fresh. */
  readonly failure?: unknown;
  readonly warnings: readonly string[];
}

/**
 * Makes an existing cache safe to work on and brings it up to date. A remote that cannot be reached is an outcome, not an
 * error: work goes on with what is there. Throws only when the cache itself cannot be used (repocache.md 3, 4).
 */
export async function refreshBare(git: Git, bare: string, url: string, signal?: AbortSignal): Promise<FetchOutcome> {
  const repo = bareRepo(git, bare, signal);
  const config = await cleanConfig(git, bare, signal);
  const warnings = config.removed.map((key) => `removed ${key} from the configuration of the repository cache`);
  const origins = config.entries.filter((entry) => entry.key === "remote.origin.url").map((entry) => entry.value);
  if (origins.length !== 1 || !sameRepository(origins[0] ?? "", bare)) {
    await repo.must("set origin: ", ["config", "--replace-all", "remote.origin.url", url]);
    if (origins.length > 0) warnings.push("origin of the repository cache pointed elsewhere and was set right");
  }
  await ensureRefspec(repo, config.entries);
  await repo.run(["worktree", "prune"]);
  const fetched = await repo.run(["fetch", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "origin"]).catch((error: unknown) => {
    signal?.throwIfAborted();
    return error;
  });
  if (fetched instanceof Error) return { failure: fetched, warnings };
  const answer = fetched as Awaited<ReturnType<typeof repo.run>>;
  if (answer.code !== 0) return { failure: gitFailure("git fetch: ", answer), warnings };
  // Plain fetch never moves origin/HEAD: a renamed default branch would not be noticed. It fails on an empty remote.
  await repo.run(["remote", "set-head", "origin", "--auto"]);
  await refreshHeadBranch(repo);
  return { warnings };
}

/** An agent can write the cache's origin; the URL it was cloned by is another form of the same name, or it is not ours. */
function sameRepository(origin: string, bare: string): boolean {
  try {
    return bareName(checkedUrl(origin)) === basename(bare);
  } catch {
    return false;
  }
}
