import { readFileSync } from "node:fs";
import { errorText } from "../core/index.ts";
import { type Db, type SqlRow, type SqlValue, copyFile, openDatabase, pathExists, removeFile, writeFileAtomic } from "../platform/index.ts";
import { carveRows } from "./carve.ts";

const SIDES = ["", "-wal", "-journal", "-shm"] as const;
/** What cannot be rebuilt comes first (state-db.md 20.4); runs before tasks, because tasks point at them. */
const FIRST = ["outbox", "daemon_run", "task", "exec_process", "env_root", "session"];
/** Made new with the file. */
const NOT_TAKEN = new Set(["migration", "lease", "meta", "outbox_log"]);
/** How far a search for the next readable row goes behind a damaged place. */
const STEPS = 100_000;

export interface TableLoss {
  readonly saved: number;
  /** Rows that were seen and could not be taken; rows of a page that cannot be read at all are not counted. */
  readonly lost: number;
}

/** What was saved of a damaged state file. */
export interface Salvage {
  /** Where the damaged file is kept. */
  readonly kept: string;
  readonly tables: Readonly<Record<string, TableLoss>>;
}

/** Puts the file and its side files aside under one name, 0600. The original place is empty afterwards. */
export async function setAside(path: string, nowMs: number): Promise<string> {
  const kept = `${path}.corrupt-${nowMs}`;
  for (const side of SIDES) {
    if (!(await pathExists(path + side))) continue;
    await copyFile(path + side, kept + side, { mode: 0o600 });
    await removeFile(path + side);
  }
  return kept;
}

/**
 * Copies what can be read of a damaged file into a new one, row by row: by SQL where the tree can be walked, from the
 * pages themselves where it cannot. `fresh` has the full schema and no rows of its own. Never throws.
 */
export async function salvageInto(fresh: Db, kept: string): Promise<Salvage["tables"]> {
  const work = `${fresh.path}.salvage`;
  const tables: Record<string, TableLoss> = {};
  let old: Db | null = null;
  try {
    settle(fresh);
    for (const side of SIDES.slice(0, 3)) if (await pathExists(kept + side)) await copyFile(kept + side, work + side, { mode: 0o600 });
    old = await openDamaged(work, fresh.path);
    if (old !== null) settle(old);
    for (const table of tablesOf(fresh)) tables[table] = saveTable(fresh, old, table, work);
    saveMeta(fresh, old);
  } finally {
    old?.close();
    for (const side of SIDES) await removeFile(work + side);
  }
  return tables;
}

/** Null when not even the list of tables can be read with a first page from the new file in place of its own. */
async function openDamaged(work: string, template: string): Promise<Db | null> {
  const first = tryOpen(work);
  if (first !== null) return first;
  await transplantHead(work, template);
  return tryOpen(work);
}

function tryOpen(path: string): Db | null {
  try {
    const db = openDatabase(path);
    try {
      if (Number(db.scalar("SELECT count(*) FROM sqlite_schema WHERE name IN ('outbox', 'task')")) > 0) return db;
    } catch {
      // The head is damaged.
    }
    db.close();
  } catch {
    // No database at all.
  }
  return null;
}

/** The same steps make the same first page: with `auto_vacuum` the tables' roots lie in the order of their creation. */
async function transplantHead(work: string, template: string): Promise<void> {
  const damaged = readFileSync(work);
  const page = 4096;
  if (damaged.length < 2 * page) return;
  const head = Buffer.from(readFileSync(template).subarray(0, page));
  head.writeUInt32BE(Math.floor(damaged.length / page), 28);
  // No list of free pages: nothing is written here.
  head.writeUInt32BE(0, 32);
  head.writeUInt32BE(0, 36);
  await writeFileAtomic(work, Buffer.concat([head, damaged.subarray(page)]), { mode: 0o600 });
}

/** Brings the log into the file, so that its pages are the latest. */
function settle(db: Db): void {
  try {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Then the pages are older than they could be.
  }
}

function tablesOf(db: Db): string[] {
  const all = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").all();
  const names = all.map((row) => String(row["name"])).filter((name) => !NOT_TAKEN.has(name));
  return [...FIRST, ...names.filter((name) => !FIRST.includes(name))];
}

function saveTable(fresh: Db, old: Db | null, table: string, work: string): TableLoss {
  const columns = fresh.prepare(`SELECT name, type FROM pragma_table_info('${table}') ORDER BY cid`).all();
  const names = columns.map((column) => String(column["name"]));
  const insert = `INSERT OR IGNORE INTO ${table} (${names.join(", ")}) VALUES (${names.map((name) => `:${name}`).join(", ")})`;
  let saved = 0;
  /** False when the row cannot be taken, or is there already. */
  const take = (row: SqlRow, from: readonly string[]): boolean => {
    const values = Object.fromEntries(names.map((name, index) => [name, (row[from[index] ?? name] ?? null) as SqlValue]));
    try {
      return fresh.transaction(() => {
        if (table === "task") ensureRun(fresh, values["run_id"]);
        let { changes } = fresh.prepare(insert).run(values);
        // A damaged row may bear the key of a sound one.
        if (changes === 0 && "dedupe_key" in values) ({ changes } = fresh.prepare(insert).run({ ...values, dedupe_key: null }));
        saved += changes;
        return changes > 0;
      });
    } catch {
      return false;
    }
  };
  // By their place: a damaged schema may call the columns otherwise.
  const known = old === null ? [] : columnsOf(old, table);
  let lost = 0;
  const whole = old !== null && walkRows(old, table, (row) => void (take(row, known.length === names.length ? known : names) || (lost += 1)));
  // What the tree does not lead to may still lie in its pages; a row that cannot be taken may hide where the next one is.
  if (!whole || lost > 0) carveRows(work, columns.map((column) => ({ name: String(column["name"]), type: String(column["type"]) })), (row) => void take(row, names));
  return { saved, lost };
}

function columnsOf(db: Db, table: string): string[] {
  try {
    return db.prepare(`SELECT name FROM pragma_table_info('${table}') ORDER BY cid`).all().map((row) => String(row["name"]));
  } catch {
    return [];
  }
}

/** Every row the tree leads to; false when some place of it could not be read. */
function walkRows(db: Db, table: string, take: (row: SqlRow) => void): boolean {
  let last = -1;
  let whole = true;
  for (let steps = 0; steps < STEPS; steps += 1) {
    try {
      const row = db.prepare(`SELECT rowid AS rowid_, * FROM ${table} WHERE rowid > :last ORDER BY rowid LIMIT 1`).get({ last });
      if (row === undefined) return whole;
      last = Number(row["rowid_"]);
      take(row);
    } catch (error) {
      if (last === -1 && !whole && /no such (table|column)/.test(errorText(error))) return false;
      whole = false;
      last += 1;
      if (steps > 1000 && last > 10_000) return false;
    }
  }
  return whole;
}

/** A task whose run was lost gets a run that ended, so that it can be kept. */
function ensureRun(db: Db, run: SqlValue | undefined): void {
  db.prepare(
    `INSERT OR IGNORE INTO daemon_run (run_id, epoch, pid, start_key, boot_id, version, port, started_at_ms, stopped_at_ms, stop_reason)
     VALUES (:run, (SELECT coalesce(max(epoch), 0) + 1 FROM daemon_run), 0, '', '', '', 0, 0, 0, 'crash')`,
  ).run({ run: run ?? "" });
}

/** The file keeps its identity: exec hosts know their daemon by it. */
function saveMeta(fresh: Db, old: Db | null): void {
  try {
    const id = old?.prepare("SELECT value FROM meta WHERE key = 'instance_id'").get()?.["value"];
    if (typeof id === "string" && id !== "") fresh.prepare("UPDATE meta SET value = :id WHERE key = 'instance_id'").run({ id });
  } catch {
    // A new identity then.
  }
}
