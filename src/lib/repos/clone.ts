import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { MulticaError, isMulticaError, randomHex } from "../core/index.ts";
import { moveFile, removeTree } from "../platform/index.ts";
import type { Git } from "./git.ts";
import { layOutFreshClone } from "./layout.ts";
import { bareRepo } from "./repo.ts";
import { maskCredentials } from "./url.ts";

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
      holds: bare,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onStderr: (text) => reportProgress(text, options.onProgress),
    });
    await layOutFreshClone(bareRepo(git, temporary, options.signal));
    await makeRoom(bare);
    await moveFile(temporary, bare);
  } catch (error) {
    await removeTree(temporary);
    throw named(error, url);
  }
}

/** The error with the remote's name in it: several clones may go on at the same time. */
function named(error: unknown, url: string): unknown {
  const shown = maskCredentials(url);
  if (!isMulticaError(error) || !error.code.startsWith("git_")) return error;
  const silent = isMulticaError(error, "git_timeout") ? "\nThe remote does not answer in time: check the network and `git ls-remote <url>` on this machine, then try again." : "";
  if (silent === "" && error.message.includes(shown)) return error;
  return new MulticaError(error.code, `${error.message} (remote: ${shown})${silent}`, { cause: error.cause, details: error.details, suggestions: error.suggestions, retry: error.retry });
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
