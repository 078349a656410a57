import { lstatSync, readdirSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { errorText, systemCode } from "../core/index.ts";
import { currentUid, lockHolder, lockHolderPath, readTextIfExistsNow, removeEmptyDirectory, removeFile, removeStubborn, tempRoot, tryFileLock } from "../platform/index.ts";

const PREFIX = "multica-task-";
const LOCK = ".task_lock";
/** Between making the lock file and locking it a directory looks abandoned. */
const SETTLE_MS = 60_000;

export interface TempReport {
  readonly path: string;
  readonly status: "removed" | "would_remove" | "failed";
  readonly error: string | null;
}

/**
 * Removes the temporary directories of tasks that are no more: ours by name and owner, with a lock file that nobody holds
 * (execenv.md 13). One without a lock file, a link, or one made a moment ago is left alone. Content goes first and the lock
 * file last, so that the next sweep still recognises what a failure left.
 */
export async function sweepTempDirs(options: {
  base: string | undefined;
  dryRun: boolean;
  nowMs: number;
  /** Age after which those without a lock file (of older programs) go too; 0 or absent: never. */
  legacyTtlMs?: number;
}): Promise<TempReport[]> {
  const base = options.base !== undefined && isAbsolute(options.base) ? options.base : tempRoot();
  const reports: TempReport[] = [];
  for (const name of names(base).filter((entry) => entry.startsWith(PREFIX))) {
    const path = join(base, name);
    if (!isAbandoned(path, options.nowMs) && !isLegacy(path, options.nowMs, options.legacyTtlMs ?? 0)) continue;
    if (options.dryRun) reports.push({ path, status: "would_remove", error: null });
    else {
      const report = await sweep(path);
      if (report !== null) reports.push(report);
    }
  }
  return reports;
}

/** In a temporary directory: the env root of its task. */
export const TEMP_ROOT_FILE = ".task_root";

/** The temporary directories of dead tasks of this environment, absolute; what cannot be looked at is left out. */
export function deadTempDirs(options: { base: string | undefined; root: string; nowMs: number }): string[] {
  const base = options.base !== undefined && isAbsolute(options.base) ? options.base : tempRoot();
  return names(base)
    .filter((entry) => entry.startsWith(PREFIX))
    .map((entry) => join(base, entry))
    .filter((path) => isAbandoned(path, options.nowMs) && rootOf(path) === options.root);
}

function rootOf(path: string): string | undefined {
  const file = join(path, TEMP_ROOT_FILE);
  try {
    return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true ? readTextIfExistsNow(file)?.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** What cannot be looked at is another user's, or about to go: not ours to say. */
function isAbandoned(path: string, nowMs: number): boolean {
  try {
    const facts = lstatSync(path);
    const uid = currentUid();
    if (!facts.isDirectory() || (uid !== undefined && facts.uid !== uid)) return false;
    const lock = lstatSync(join(path, LOCK));
    return lock.isFile() && lock.ctimeMs < nowMs - SETTLE_MS && lockHolder(join(path, LOCK)) === null;
  } catch {
    return false;
  }
}

/** Without a lock file only age tells; an empty one may have been made a moment ago by a program that locks it next. */
function isLegacy(path: string, nowMs: number, ttlMs: number): boolean {
  if (ttlMs <= 0) return false;
  try {
    const facts = lstatSync(path);
    const uid = currentUid();
    if (!facts.isDirectory() || (uid !== undefined && facts.uid !== uid)) return false;
    const entries = readdirSync(path);
    return entries.length > 0 && !entries.includes(LOCK) && [facts, ...entries.map((name) => lstatSync(join(path, name)))].every((one) => one.mtimeMs < nowMs - ttlMs);
  } catch {
    return false;
  }
}

async function sweep(path: string): Promise<TempReport | null> {
  try {
    const lock = tryFileLock(join(path, LOCK));
    if (lock === null) return null;
    const holder = lockHolderPath(LOCK);
    try {
      for (const name of readdirSync(path)) if (name !== LOCK && name !== holder) await removeStubborn(join(path, name));
      await removeFile(join(path, holder));
      await removeFile(join(path, LOCK));
      await removeEmptyDirectory(path);
    } finally {
      lock.release();
    }
    return { path, status: "removed", error: null };
  } catch (error) {
    return { path, status: "failed", error: errorText(error) };
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    // Where nobody may look (a hardened machine) nobody can tidy either.
    if (["ENOENT", "EACCES", "EPERM", "ENOTDIR"].includes(systemCode(error) ?? "")) return [];
    throw error;
  }
}
