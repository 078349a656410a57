import { Db, isBusy } from "./sqlite.ts";

export interface FileLock {
  readonly path: string;
  /** Frees the lock; further calls do nothing. */
  release(): void;
}

/**
 * Takes an exclusive lock on `path` without waiting; null when somebody else holds it, also in this process.
 * It is SQLite's own file lock: the kernel frees it when the holder dies, a child does not inherit it (execenv.md 4.3).
 * Throws when the file cannot be opened at all.
 */
export function tryFileLock(path: string): FileLock | null {
  const db = new Db(path, { busyTimeoutMs: 0 });
  try {
    // No journal beside the lock file: nothing is ever written to it.
    db.exec("PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=NORMAL;");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
  let held = true;
  return {
    path,
    release: () => {
      if (!held) return;
      held = false;
      try {
        db.exec("ROLLBACK");
      } finally {
        db.close();
      }
    },
  };
}
