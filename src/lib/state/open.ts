import { lstatSync } from "node:fs";
import { MulticaError, errorText, uuid } from "../core/index.ts";
import { type Clock, type Db, openDatabase } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { type CheckNote, noteCheck } from "./check.ts";
import { headDamaged, isDamage, quickCheck, schemaFindings } from "./damage.ts";
import { asStateError } from "./errors.ts";
import { backUp, checkPlace, prepareFile, stateFile } from "./files.ts";
import { type StateHandle, type StateInspector, createHandle, createReader, retryBusy } from "./handle.ts";
import { checkReadable, migrate, schemaVersion } from "./migrate.ts";
import { type Salvage, salvageInto, setAside } from "./salvage.ts";
import { writerPragmas } from "./upkeep.ts";
import { MIGRATIONS, type Migration } from "./schema.ts";

export interface OpenStateOptions {
  /** The profile's state directory. */
  readonly stateDir: string;
  /** Version of the product. */
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** CLI profile, for the record; empty for the default one. */
  readonly profile?: string;
  /** `delete` where the file system cannot do WAL (MULTICA_STATE_JOURNAL_MODE). */
  readonly journalMode?: "wal" | "delete";
  readonly onLeaseLost?: () => void;
  /** The file was damaged: what was saved of it. */
  readonly onSalvage?: (salvage: Salvage) => void;
  /** For tests of migrations. */
  readonly migrations?: readonly Migration[];
}

const OPEN_BUSY_MS = 5000;
const RUN_BUSY_MS = 250;
const OPEN_ATTEMPTS = 10;

/**
 * Opens the state file of the daemon for writing, makes and migrates it as needed (state-db.md 14, 16). Entry points only.
 * A damaged file is put aside, what can be read of it goes into a new one, and the log says what was lost (20.4).
 * Throws `state_refused`, `state_mismatch`, `state_newer`, `state_foreign` or the classes of `asStateError`.
 */
export async function openState(options: OpenStateOptions): Promise<StateHandle> {
  const path = await prepareFile(options.stateDir);
  const { version, clock, logger, onLeaseLost } = options;
  const { db, checked } = await openSound(path, options);
  db.exec(`PRAGMA busy_timeout=${RUN_BUSY_MS}`);
  return createHandle({ db, version, clock, logger, checked, busyMs: RUN_BUSY_MS, ...(onLeaseLost === undefined ? {} : { onLeaseLost }) });
}

interface Checked {
  readonly db: Db;
  /** What opening it found; written down by who becomes its daemon. */
  readonly checked: CheckNote;
}

async function openSound(path: string, options: OpenStateOptions): Promise<Checked> {
  try {
    return { db: await openChecked(path, options), checked: { atMs: options.clock.now(), result: "ok" } };
  } catch (error) {
    if (!isDamage(error)) throw error;
    options.logger.error("the state database is damaged; saving what can be read", { error: errorText(error) });
    return rebuild(path, options);
  }
}

async function openChecked(path: string, options: OpenStateOptions): Promise<Db> {
  let db: Db | null = null;
  try {
    if (headDamaged(path)) throw new MulticaError("state_corrupt", `the head of ${path} is damaged`);
    db = open(path);
    // The full check: what is wrong with an index only is found by the quick one when a write runs into it.
    const findings = quickCheck(db, true);
    if (findings.length > 0) throw new MulticaError("state_corrupt", `damage in ${path}: ${findings.join("; ")}`);
    await setUp(db, options);
    const changed = schemaFindings(db, options.migrations ?? MIGRATIONS);
    if (changed.length > 0) throw new MulticaError("state_corrupt", `damage in ${path}: ${changed.join("; ")}`);
    return db;
  } catch (error) {
    db?.close();
    throw asStateError(error, path);
  }
}

/**
 * Takes a state file apart and makes a new one of what can be read of it; for the operator, who holds the state directory.
 * Null when there is none.
 */
export async function salvageState(options: OpenStateOptions): Promise<Salvage | null> {
  const path = stateFile(options.stateDir);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
  checkPlace(options.stateDir, path);
  let salvage: Salvage | null = null;
  const { db, checked } = await rebuild(path, { ...options, onSalvage: (one) => (salvage = one) });
  db.transaction(() => noteCheck(db, checked));
  db.close();
  return salvage;
}

/** Gives unused space back to the disk; for the operator, who holds the state directory. `full` writes the whole file anew. */
export async function compactState(options: OpenStateOptions, full: boolean): Promise<void> {
  const { db } = await openSound(await prepareFile(options.stateDir), options);
  try {
    db.exec(full ? "VACUUM" : "PRAGMA incremental_vacuum");
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

/** A new file with everything that can be read of the old one, which is kept aside. */
async function rebuild(path: string, options: OpenStateOptions): Promise<Checked> {
  const kept = await setAside(path, options.clock.now());
  await prepareFile(options.stateDir);
  const db = await openChecked(path, options);
  const tables = await salvageInto(db, kept).catch((error: unknown) => {
    options.logger.error("nothing could be saved of the damaged state database", { error: errorText(error) });
    return {};
  });
  const salvage: Salvage = { kept, tables };
  options.logger.error("the state database was damaged and has been rebuilt", { kept, ...Object.fromEntries(Object.entries(tables).map(([name, { saved, lost }]) => [name, `${saved} saved, ${lost} lost`])) });
  options.onSalvage?.(salvage);
  return { db, checked: { atMs: options.clock.now(), result: `damaged and rebuilt; the old file is kept as ${kept}` } };
}

/**
 * Opens the state file for a process that only asks; never makes, migrates or writes it. Null when there is none.
 * Throws `state_behind` or `state_newer` when this program cannot read it, and `state_refused`.
 */
export function openStateReader(options: { readonly stateDir: string; readonly migrations?: readonly Migration[] }): StateInspector | null {
  const path = stateFile(options.stateDir);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
  checkPlace(options.stateDir, path);
  const db = open(path, true);
  try {
    checkReadable(db, options.migrations ?? MIGRATIONS);
    return createReader(db);
  } catch (error) {
    db.close();
    throw asStateError(error, path);
  }
}

function open(path: string, readOnly = false): Db {
  try {
    return openDatabase(path, { readOnly, busyTimeoutMs: OPEN_BUSY_MS });
  } catch (error) {
    throw asStateError(error, path);
  }
}

async function setUp(db: Db, options: OpenStateOptions): Promise<void> {
  const { clock, logger } = options;
  const migrations = options.migrations ?? MIGRATIONS;
  // Before the first table, or it has no effect.
  db.exec("PRAGMA auto_vacuum=INCREMENTAL");
  const wanted = options.journalMode ?? "wal";
  const mode = await retryBusy(clock, OPEN_ATTEMPTS, db.path, () => db.scalar(`PRAGMA journal_mode=${wanted}`));
  if (mode !== wanted) {
    logger.warn("the state database cannot use the journal asked for", { asked: wanted, used: mode });
    db.exec("PRAGMA journal_mode=DELETE");
  }
  writerPragmas(db, OPEN_BUSY_MS);
  const from = schemaVersion(db);
  const latest = migrations.at(-1)?.version ?? 0;
  if (from > 0 && from < latest) await retryLater(clock, db, () => backUp(db, from, latest));
  const now = clock.now();
  const meta = { instance_id: uuid(), profile: options.profile ?? "", created_at_ms: String(now), created_by: options.version };
  const done = await retryBusy(clock, OPEN_ATTEMPTS, db.path, () => migrate(db, { migrations, version: options.version, clock, meta }));
  if (done.from !== done.to) logger.info("state database migrated", { from: done.from, to: done.to });
}

async function retryLater(clock: Clock, db: Db, fn: () => Promise<unknown>): Promise<void> {
  try {
    await fn();
  } catch (error) {
    if (asStateError(error, db.path).code !== "state_busy") throw error;
    await clock.sleep(500);
    await fn();
  }
}
