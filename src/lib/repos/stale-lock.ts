import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { isInside, removeFile } from "../platform/index.ts";

/** Git holds such a file for moments: one this old was left by a process that died (repocache.md 5). */
export const STALE_AFTER_MS = 15 * 60_000;

/** Lock files below `directory` that are older than this are nobody's. */
export interface LockZone {
  readonly directory: string;
  readonly staleAfterMs: number;
  /** Not there: a commit in a linked checkout holds its lock for as long as its editor is open. */
  readonly except?: string;
}

/** The lock file that stood in a command's way, or undefined when it failed for another reason. */
export function lockInTheWay(answer: { readonly code: number; readonly stderr: string }): string | undefined {
  if (answer.code === 0) return undefined;
  const lock = /Unable to create '([^'\n]+\.lock)': File exists/.exec(answer.stderr)?.[1];
  if (lock !== undefined) return lock;
  const config = /could not lock config file ([^\n]+): File exists/.exec(answer.stderr)?.[1];
  return config === undefined ? undefined : `${config}.lock`;
}

/** Removes a lock file that the dead left in one of the zones; true when it did. The caller holds the repository's lock. */
export async function removeStaleLock(lock: string, zones: readonly LockZone[], nowMs: number): Promise<boolean> {
  const stat = lstatSync(lock, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return false;
  const place = realpathSync.native(dirname(lock));
  const stale = zones.some((zone) => {
    if (nowMs - stat.mtimeMs < zone.staleAfterMs) return false;
    const root = realpathSync.native(zone.directory);
    return isInside(root, place) && (zone.except === undefined || !isInside(join(root, zone.except), place));
  });
  return stale && removeFile(lock);
}

/** Lock files that git makes in a bare repository itself, its linked checkouts' left out; links are not followed. */
export function bareLockFiles(bare: string): string[] {
  const top = names(bare).filter((name) => name.endsWith(".lock") || name === "gc.pid");
  const deep = ["refs", "logs", join("objects", "info"), join("objects", "pack")].flatMap((name) => lockFilesBelow(join(bare, name)));
  return [...top.map((name) => join(bare, name)), ...deep].filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function lockFilesBelow(directory: string): string[] {
  return names(directory).flatMap((name) => {
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return lockFilesBelow(path);
    return name.endsWith(".lock") ? [path] : [];
  });
}

function names(directory: string): string[] {
  const isDirectory = lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? readdirSync(directory) : [];
}
