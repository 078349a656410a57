import { existsSync, statSync } from "node:fs";
import { errorText } from "../core/index.ts";
import { type Clock, type Db, chmodNow, moveFileNow, removeFileNow } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { OutboxJournal } from "./journal.ts";
import { knownRoots, noteRemoved, prunePlaces } from "./places.ts";
import { pruneRuns } from "./runs.ts";
import type { WriteQueue } from "./write-queue.ts";

export interface UpkeepParts {
  readonly db: Db;
  readonly queue: WriteQueue;
  readonly outbox: OutboxJournal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a statement waits for a lock, in milliseconds. */
  readonly busyMs: number;
}

const LOOK_MS = 30_000;
const CHECKPOINT_MS = 5 * 60_000;
const DAILY_MS = 24 * 60 * 60_000;
const LARGE_LOG_BYTES = 64 * 1024 * 1024;
const PAGE_BYTES = 4096;
const PRAGMAS = ["foreign_keys=ON", "synchronous=NORMAL", "temp_store=MEMORY", "trusted_schema=OFF", "secure_delete=ON", `journal_size_limit=${LARGE_LOG_BYTES}`];

/** The settings of a connection that writes (state-db.md 14). */
export function writerPragmas(db: Db, busyMs: number): void {
  for (const pragma of [...PRAGMAS, `busy_timeout=${busyMs}`]) db.exec(`PRAGMA ${pragma}`);
}

/** What a running daemon does for its file now and then (state-db.md 20.2, 20.3, 21). The answer ends it. */
export function startUpkeep(parts: UpkeepParts): () => void {
  const { db, clock, logger } = parts;
  const place = { inode: inodeOf(db.path) };
  const guarded = (what: string, fn: () => void) => (): void => {
    try {
      if (db.isOpen) fn();
    } catch (error) {
      logger.warn("upkeep of the state database failed", { what, error: errorText(error) });
    }
  };
  const stops = [
    clock.every(LOOK_MS, guarded("look for the file", () => restorePlace(parts, place))),
    clock.every(CHECKPOINT_MS, guarded("checkpoint", () => checkpoint(parts))),
    clock.every(DAILY_MS, guarded("clean-up", () => cleanUp(parts))),
  ];
  return () => stops.forEach((stop) => stop());
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** The file was removed or replaced under us: what is open still has everything, and it is written to its place again. */
function restorePlace({ db, logger, busyMs }: UpkeepParts, place: { inode: number | null }): void {
  const now = inodeOf(db.path);
  if (now === place.inode) return;
  const copy = `${db.path}.restored`;
  const journal = String(db.scalar("PRAGMA journal_mode"));
  removeFileNow(copy);
  db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
  chmodNow(copy, 0o600);
  let foreign: string | null = null;
  if (now !== null) {
    foreign = `${db.path}.replaced-${now}`;
    moveFileNow(db.path, foreign);
  }
  for (const side of ["-wal", "-shm", "-journal"]) removeFileNow(db.path + side);
  moveFileNow(copy, db.path);
  db.reopen();
  db.exec(`PRAGMA journal_mode=${journal}`);
  writerPragmas(db, busyMs);
  place.inode = inodeOf(db.path);
  logger.error("the state database was removed or replaced while the daemon ran; it has been written anew", { ...(foreign === null ? {} : { kept: foreign }) });
}

function checkpoint({ db, queue, logger }: UpkeepParts): void {
  if (queue.trouble !== null) return;
  const row = db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get();
  // Not the size of the log's file: that stays large after a busy hour, although all of it has been brought in.
  const bytes = (Number(row?.["log"] ?? 0) - Number(row?.["checkpointed"] ?? 0)) * PAGE_BYTES;
  if (bytes > LARGE_LOG_BYTES) logger.warn("the log of the state database grows: some process has been reading it for long", { bytes });
}

function cleanUp({ db, queue, outbox, clock, logger }: UpkeepParts): void {
  const expired = outbox.expire();
  if (expired > 0) logger.error("reports that nobody took within seven days are given up", { reports: expired });
  for (let roots = knownRoots(db); roots.length > 0; roots = knownRoots(db, roots.at(-1))) {
    const removed = roots.filter((path) => !existsSync(path));
    if (removed.length > 0) queue.write("clean-up", (target) => noteRemoved(target, removed, clock.now()));
  }
  // Piece by piece: nobody waits for a transaction over everything of a day. Where the file is in trouble, the next day goes on.
  for (let more = true; more; ) {
    more = false;
    queue.write("clean-up", (target) => {
      const [runs, places] = [pruneRuns(target, clock.now()), prunePlaces(target, clock.now())];
      more = runs || places;
    });
  }
  db.exec("PRAGMA incremental_vacuum(200)");
}
