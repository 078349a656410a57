import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { MulticaError, errorText, isMulticaError, uuid } from "../../core/index.ts";
import { type Clock, type Db, chmodPath, ensureDir, moveFile, openDatabase, removeFile, tryFileLock, writeFileIfAbsent } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import { asStateError } from "../errors.ts";
import { INDEX_FILE, checkPlace, indexFile } from "../files.ts";
import { retryBusy } from "../handle.ts";
import { checkReadable, migrate } from "../migrate.ts";
import type { Migration } from "../schema.ts";
import { LocalIndex } from "./handle.ts";
import type { HomePlaces } from "./homes.ts";
import { discoverHomes } from "./homes.ts";
import { rootRows, rootsOf } from "./registry.ts";
import { INDEX_FAMILY, INDEX_MIGRATIONS } from "./schema.ts";
import type { BackfillStats } from "./types.ts";
import { writerOf } from "./writer.ts";

export interface OpenIndexOptions {
  /** The profile's state directory. */
  readonly stateDir: string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly places: HomePlaces;
  /** How long to wait for another process's backfill, milliseconds; 30 s unless given. */
  readonly waitMs?: number;
  /** True = an index that is complete is taken as it is; otherwise the files are looked through first. */
  readonly asItIs?: boolean;
  readonly journalMode?: "wal" | "delete";
  readonly signal?: AbortSignal;
  /** Told when another process is at it, once. */
  readonly onWait?: (holder: { readonly pid: number }) => void;
  readonly onProgress?: (stats: BackfillStats) => void;
  /** What this process's own pass over the files did. */
  readonly onFilled?: (stats: BackfillStats) => void;
  /** For tests of migrations. */
  readonly migrations?: readonly Migration[];
}

const BUSY_MS = 5000;
const ATTEMPTS = 20;
const WAIT_MS = 30_000;
const POLL_MS = 250;
const REBUILD_WAIT_MS = 10_000;
/** Codes of a file that has to go: it can be made again from the rollouts. */
const BROKEN = ["state_corrupt", "state_foreign", "state_mismatch"];

/**
 * Opens the index, makes, migrates and fills it as needed, and returns it only when every root is known to be complete
 * (state-db.md 5, 18.2). Entry points only. A damaged file is set aside and made anew. Throws `index_backfill_timeout`
 * when another process's backfill does not end in time, `state_newer` and the classes of `asStateError`; without an
 * index everything goes on over the files.
 */
export async function openIndex(options: OpenIndexOptions): Promise<LocalIndex> {
  const startedAt = options.clock.now();
  const path = indexFile(options.stateDir);
  await ensureDir(options.stateDir);
  checkPlace(options.stateDir, path);
  try {
    return await openAndFill(path, startedAt, options);
  } catch (error) {
    if (!isBroken(error)) throw error;
    // Damage that only the filling met; closing has set the file aside.
    return openAndFill(path, startedAt, options);
  }
}

async function openAndFill(path: string, startedAt: number, options: OpenIndexOptions): Promise<LocalIndex> {
  const db = await openOrRemake(path, options);
  const onDamaged = (): Promise<void> => setAside(path, options.clock.now());
  const index = new LocalIndex({ ...options, db, holder: uuid(), readOnly: false, onDamaged });
  try {
    await complete(index, db, startedAt, options);
    return index;
  } catch (error) {
    await index.close();
    throw error;
  }
}

function isBroken(error: unknown): boolean {
  return error instanceof MulticaError && BROKEN.includes(error.code);
}

/**
 * Opens the index for one who only looks: never makes, migrates, fills or waits. Null unless it is there and complete
 * (state-db.md 10, 18.2). Entry points only.
 */
export function openIndexReader(options: Pick<OpenIndexOptions, "stateDir" | "clock" | "logger" | "places" | "migrations">): LocalIndex | null {
  const path = indexFile(options.stateDir);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
  try {
    checkPlace(options.stateDir, path);
    const db = openDatabase(path, { readOnly: true, busyTimeoutMs: BUSY_MS });
    try {
      checkReadable(db, options.migrations ?? INDEX_MIGRATIONS, INDEX_FAMILY);
      const roots = rootRows(db);
      if (roots.length > 0 && roots.every((root) => root.complete)) {
        return new LocalIndex({ ...options, db, holder: "", readOnly: true, onDamaged: () => Promise.resolve() });
      }
      options.logger.warn("the rollout index is not complete and is not used", { path });
    } catch (error) {
      db.close();
      throw error;
    }
    db.close();
  } catch (error) {
    options.logger.warn("the rollout index is not used", { path, error: errorText(asStateError(error, path)) });
  }
  return null;
}

/** Fills what is not complete, waiting for another process that is at it; verified at the end. */
async function complete(index: LocalIndex, db: Db, startedAt: number, options: OpenIndexOptions): Promise<void> {
  const { clock, signal } = options;
  const limit = clock.monotonic() + (options.waitMs ?? WAIT_MS);
  let told = false;
  for (;;) {
    // What another process finished after we were started is as new as what we would do.
    if (isFresh(db, startedAt, options.places) || (options.asItIs === true && isComplete(db, options.places))) return;
    const stats = await index.refresh({ signal, onProgress: options.onProgress });
    if (stats !== null) {
      options.onFilled?.(stats);
      return;
    }
    const holder = writerOf(db);
    if (isComplete(db, options.places)) return;
    if (clock.monotonic() >= limit) {
      throw new MulticaError("index_backfill_timeout", `timed out waiting for the rollout index: process ${holder?.pid ?? "?"} is filling it (${db.path})`, {
        retry: "later",
        suggestions: ["Look at `multica state status`, or use --no-index."],
      });
    }
    if (!told && holder !== null) options.onWait?.({ pid: holder.pid });
    told = true;
    await clock.sleep(POLL_MS, signal);
  }
}

function wantedRoots(places: HomePlaces): string[] {
  return discoverHomes(places).flatMap(rootsOf).map((root) => root.path);
}

function isComplete(db: Db, places: HomePlaces): boolean {
  const complete = new Set(rootRows(db).filter((root) => root.complete).map((root) => root.path));
  return wantedRoots(places).every((path) => complete.has(path));
}

function isFresh(db: Db, sinceMs: number, places: HomePlaces): boolean {
  const rows = db.prepare("SELECT real_path FROM scan_root WHERE status = 'complete' AND last_success_ms >= :sinceMs").all({ sinceMs });
  const fresh = new Set(rows.map((row) => String(row["real_path"])));
  const wanted = wantedRoots(places);
  return wanted.length > 0 && wanted.every((path) => fresh.has(path)) && writerOf(db) === null;
}

async function openOrRemake(path: string, options: OpenIndexOptions): Promise<Db> {
  try {
    return await openAndMigrate(path, options);
  } catch (error) {
    if (!isBroken(error)) throw error;
    options.logger.warn("the rollout index is damaged and is made anew", { path, error: errorText(error) });
    return await remake(path, options);
  }
}

/** One process sets the broken file aside; those who had to wait for it find a whole one. */
async function remake(path: string, options: OpenIndexOptions): Promise<Db> {
  const { clock } = options;
  const limit = clock.monotonic() + REBUILD_WAIT_MS;
  for (;;) {
    const lock = tryFileLock(`${path}.rebuild`);
    if (lock !== null) {
      try {
        return await openAndMigrate(path, options).catch(async (error: unknown) => {
          if (!isBroken(error)) throw error;
          await setAside(path, clock.now());
          return openAndMigrate(path, options);
        });
      } finally {
        lock.release();
      }
    }
    if (clock.monotonic() > limit) throw new MulticaError("state_busy", `another process makes the rollout index anew: ${path}`, { retry: "later" });
    await clock.sleep(POLL_MS);
  }
}

/** Moves a damaged index away, with what belongs to it; only the newest such copy is kept. */
async function setAside(path: string, nowMs: number): Promise<void> {
  const directory = join(path, "..");
  for (const name of readdirSync(directory)) if (name.startsWith(`${INDEX_FILE}.corrupt-`)) await removeFile(join(directory, name));
  await moveFile(path, `${path}.corrupt-${nowMs}`);
  for (const side of ["-wal", "-shm"]) await removeFile(`${path}${side}`);
}

async function openAndMigrate(path: string, options: OpenIndexOptions): Promise<Db> {
  const created = await writeFileIfAbsent(path, "", { mode: 0o600 });
  if (!created && ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0) await chmodPath(path, 0o600);
  let db: Db | null = null;
  try {
    db = openDatabase(path, { busyTimeoutMs: BUSY_MS });
    await setUp(db, options);
    return db;
  } catch (error) {
    db?.close();
    throw asStateError(error, path);
  }
}

async function setUp(db: Db, options: OpenIndexOptions): Promise<void> {
  const { clock, version, logger } = options;
  db.exec("PRAGMA auto_vacuum=INCREMENTAL");
  const wanted = options.journalMode ?? "wal";
  const mode = await retryBusy(clock, ATTEMPTS, db.path, () => db.scalar(`PRAGMA journal_mode=${wanted}`));
  if (mode !== wanted) {
    logger.warn("the rollout index cannot use the journal asked for", { asked: wanted, used: mode });
    db.exec("PRAGMA journal_mode=DELETE");
  }
  for (const pragma of ["foreign_keys=ON", "synchronous=NORMAL", "temp_store=MEMORY", "trusted_schema=OFF"]) db.exec(`PRAGMA ${pragma}`);
  const meta = { instance_id: uuid(), created_at_ms: String(clock.now()), created_by: version };
  const migrations = options.migrations ?? INDEX_MIGRATIONS;
  await retryBusy(clock, ATTEMPTS, db.path, () => migrate(db, { migrations, version, clock, meta, family: INDEX_FAMILY }));
}

/** True for errors after which the caller goes on without an index. */
export function meansNoIndex(error: unknown): boolean {
  return isMulticaError(error, "index_backfill_timeout") || (error instanceof MulticaError && error.code.startsWith("state_"));
}
