import { lstatSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { isInside, removeFile } from "../platform/index.ts";
import type { GitAnswer } from "./git.ts";

/** Git holds such a file for moments: one this old was left by a process that died (repocache.md 5). */
const STALE_AFTER_MS = 15 * 60_000;

/** The lock file that stood in a command's way, or undefined when it failed for another reason. */
export function lockInTheWay(answer: GitAnswer): string | undefined {
  if (answer.code === 0) return undefined;
  const lock = /Unable to create '([^'\n]+\.lock)': File exists/.exec(answer.stderr)?.[1];
  if (lock !== undefined) return lock;
  const config = /could not lock config file ([^\n]+): File exists/.exec(answer.stderr)?.[1];
  return config === undefined ? undefined : `${config}.lock`;
}

/**
 * Removes a lock file that the dead left in a bare repository; true when it did. The caller holds the repository's lock.
 * Those of its linked checkouts stay: a commit holds one for as long as its editor is open.
 */
export async function removeStaleLock(lock: string, repository: string, nowMs: number): Promise<boolean> {
  const stat = lstatSync(lock, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || nowMs - stat.mtimeMs < STALE_AFTER_MS) return false;
  const root = realpathSync.native(repository);
  const place = realpathSync.native(dirname(lock));
  if (!isInside(root, place) || isInside(join(root, "worktrees"), place)) return false;
  return removeFile(lock);
}
