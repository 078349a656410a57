import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { MulticaError, isObject, parseJson, randomHex, systemCode } from "../core/index.ts";
import { type ProcessIdentity, identityAlive, processIdentity } from "./process/identity.ts";
import { Db, isBusy } from "./sqlite.ts";

export interface FileLock {
  readonly path: string;
  /** Frees the lock; further calls do nothing. */
  release(): void;
  /**
   * Names another process as the holder and lets go: at no moment is the lock free for a third one. The answer is the
   * token with which that process takes it (`receiveFileLock`). Throws `lock_lost` when it is not held any more.
   */
  passTo(identity: ProcessIdentity): string;
}

/** Where a lock names its holder: a file beside it, there as long as the lock is held. */
export function lockHolderPath(path: string): string {
  return `${path}.holder`;
}

const CONTEST_MS = 20;

/** Tokens of the locks this process holds: tells a lock it still has from one that a failed release left behind. */
const held = new Set<string>();

/**
 * Takes an exclusive lock on `path` without waiting; null when somebody else holds it, also in this process.
 * Two proofs are needed to take it, so that neither one's weakness gives it away (execenv.md 4.3, decision 18):
 * SQLite's file lock, which the kernel frees when the holder dies and a child does not inherit (but which a process
 * loses when it closes any other descriptor of that file); and no living process named in the holder file (which
 * another pid namespace could not tell). Throws when the file cannot be opened at all.
 */
export function tryFileLock(path: string): FileLock | null {
  const holder = lockHolderPath(path);
  // Two that try in the same instant refuse each other: while nobody is named, one of them gets it a moment later.
  const db = openExclusive(path) ?? (holderLives(holder) ? null : openExclusive(path, CONTEST_MS));
  if (db === null) return null;
  const token = randomHex(8);
  try {
    if (holderLives(holder)) {
      db.close();
      return null;
    }
    writeHolder(holder, { ...selfIdentity(), token });
  } catch (error) {
    db.close();
    throw error;
  }
  return heldLock(path, db, token);
}

/**
 * Takes a lock that its holder passed to this process with `passTo`. Null while the former holder has not let go yet: to be
 * tried again. Throws `lock_lost` when the file names another holder.
 */
export function receiveFileLock(path: string, token: string): FileLock | null {
  const db = openExclusive(path);
  if (db === null) return null;
  const named = readHolder(lockHolderPath(path));
  if (named !== undefined && named.token === token && named.pid === process.pid) return heldLock(path, db, token);
  db.close();
  throw new MulticaError("lock_lost", `the lock was not passed to this process: ${path}`);
}

function heldLock(path: string, db: Db, token: string): FileLock {
  const holder = lockHolderPath(path);
  held.add(token);
  return {
    path,
    passTo: (identity) => {
      if (!held.has(token)) throw new MulticaError("lock_lost", `the lock is not held any more: ${path}`);
      const next = randomHex(8);
      // The file first: between the two it names one that lives.
      writeHolder(holder, { ...identity, token: next });
      held.delete(token);
      try {
        db.exec("ROLLBACK");
      } finally {
        db.close();
      }
      return next;
    },
    release: () => {
      if (!held.delete(token)) return;
      try {
        // Only our own: the file may already be that of somebody who made the directory anew.
        if (readHolder(holder)?.token === token) rmSync(holder, { force: true });
        db.exec("ROLLBACK");
      } finally {
        db.close();
      }
    },
  };
}

/** Who holds the lock at `path`, as far as its holder file tells: nothing is opened for writing. Null: nobody who lives. */
export function lockHolder(path: string): ProcessIdentity | null {
  const holder = readHolder(lockHolderPath(path));
  if (holder === undefined || !holderLives(lockHolderPath(path))) return null;
  return { pid: holder.pid, startKey: holder.startKey, bootId: holder.bootId };
}

function openExclusive(path: string, busyTimeoutMs = 0): Db | null {
  const db = new Db(path, { busyTimeoutMs });
  try {
    // No journal beside the lock file: nothing is ever written to it.
    db.exec("PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=NORMAL;");
    db.exec("BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

interface Holder extends ProcessIdentity {
  readonly token: string;
}

function holderLives(path: string): boolean {
  const holder = readHolder(path);
  if (holder === undefined) return false;
  return holder.pid === process.pid && identityAlive(holder) ? held.has(holder.token) : identityAlive(holder);
}

/** The named holder; undefined when there is none, or when the file is torn: it is written as a whole, so nobody's. */
function readHolder(path: string): Holder | undefined {
  const value: unknown = parseJson(readPlain(path) ?? "");
  if (!isObject(value)) return undefined;
  const { pid, startKey, bootId, token } = value;
  if (typeof pid !== "number" || typeof startKey !== "string" || typeof bootId !== "string" || typeof token !== "string") return undefined;
  return { pid, startKey, bootId, token };
}

/** Agents can write where environments' locks lie: a planted pipe would hold us for ever, a link show us another file. */
function readPlain(path: string): string | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return fstatSync(fd).isFile() ? readFileSync(fd, "utf8") : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (["ENOENT", "ELOOP", "ENXIO"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

function writeHolder(path: string, holder: Omit<Holder, keyof ProcessIdentity> & Partial<ProcessIdentity>): void {
  const temporary = `${path}.${holder.token}.tmp`;
  const { pid, startKey, bootId, token } = holder;
  writeFileSync(temporary, JSON.stringify({ pid, startKey, bootId, token }), { mode: 0o600 });
  renameSync(temporary, path);
}

function selfIdentity(): Partial<ProcessIdentity> {
  return processIdentity(process.pid) ?? {};
}
