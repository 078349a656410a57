import { lstatSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../core/index.ts";
import { type Clock, ensureDir, lockHolder, removeFile, tryFileLock, writeFileAtomic } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";

const POLL_MS = 100;
/** Maintenance ends within its kill grace; one that does not answer by then is stuck or on another machine. */
const ANSWER_MS = 15_000;

/** Beside a lock: somebody of another process waits, and whoever holds it for maintenance is to make room. */
function wantedPath(lock: string): string {
  return `${lock}.wanted`;
}

function isWanted(lock: string): boolean {
  return lstatSync(wantedPath(lock), { throwIfNoEntry: false }) !== undefined;
}

/** Best effort: on a full disk the wait is longer, that is all. */
export async function want(lock: string): Promise<void> {
  if (!isWanted(lock)) await writeFileAtomic(wantedPath(lock), "", { durable: false }).catch(() => undefined);
}

export async function unwant(lock: string): Promise<void> {
  await removeFile(wantedPath(lock)).catch(() => undefined);
}

/** Calls `act` once when somebody of another process wants the lock; the returned function ends the watch. */
export function whenWanted(clock: Clock, lock: string, act: () => void): () => void {
  const stop = clock.every(POLL_MS, () => {
    if (!isWanted(lock)) return;
    stop();
    act();
  });
  return stop;
}

function roundLock(root: string): string {
  return join(root, ".repos", ".maintenance.lock");
}

/**
 * Runs a round of maintenance unless another daemon of this root is at it (null). While it runs, `makeRoom` is called
 * whenever another daemon is about to start an agent, and that daemon is told when it has settled.
 */
export async function maintenanceRound<T>(parts: { readonly root: string; readonly clock: Clock; readonly logger: Logger }, makeRoom: () => Promise<void>, round: () => Promise<T>): Promise<T | null> {
  const path = roundLock(parts.root);
  await ensureDir(join(path, ".."));
  const lock = tryFileLock(path);
  if (lock === null) return null;
  let answering: Promise<void> | undefined;
  const answer = async (): Promise<void> => {
    try {
      await makeRoom();
      await unwant(path);
    } catch (error) {
      parts.logger.warn("gc: no room made for another daemon", { error: errorText(error) });
    } finally {
      answering = undefined;
    }
  };
  const stop = parts.clock.every(POLL_MS, () => {
    if (isWanted(path)) answering ??= answer();
  });
  try {
    return await round();
  } finally {
    stop();
    await answering;
    lock.release();
  }
}

/** Makes the daemon that maintains the caches of this root, if another one does, end what it is at, and waits for it. */
export async function askForRoom(parts: { readonly root: string; readonly clock: Clock; readonly logger: Logger }): Promise<void> {
  const { clock, logger } = parts;
  const path = roundLock(parts.root);
  const isBusy = (): boolean => lockHolder(path) !== null;
  if (!isBusy()) return;
  await want(path);
  const until = clock.monotonic() + ANSWER_MS;
  while (isBusy() && isWanted(path)) {
    if (clock.monotonic() > until) {
      logger.warn("another daemon maintains repositories and does not make room", { lock: path });
      return;
    }
    await clock.sleep(POLL_MS);
  }
  await unwant(path);
}
