import { closeSync, openSync, readSync } from "node:fs";
import { isMulticaError } from "../core/index.ts";
import { type Db, openDatabase, sqliteCode } from "../platform/index.ts";
import type { Migration } from "./schema.ts";

const MAGIC = "SQLite format 3\0";
const SCHEMA_OF = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
const CODE_ERROR = 1;
/** A page that makes no sense, no database at all. */
const DAMAGE_CODES = new Set([11, 26]);

/** True for an error that says the file is damaged, not that it is locked, full, foreign or of another version. */
export function isDamage(error: unknown): boolean {
  if (isMulticaError(error, "state_corrupt")) return true;
  if (!isMulticaError(error, "state_failed")) return false;
  const code = sqliteCode(error.cause) ?? sqliteCode((error.cause as Error | undefined)?.cause);
  if (code === undefined) return false;
  return DAMAGE_CODES.has(code) || (code === CODE_ERROR && /malformed|unsupported|no such (table|column)/.test(error.message));
}

/** What `quick_check` finds; empty for a sound file. A check that cannot run is a finding. */
export function quickCheck(db: Db, full = false): string[] {
  const rows = db.prepare(full ? "PRAGMA integrity_check(20)" : "PRAGMA quick_check(20)").all();
  const texts = rows.map((row) => String(Object.values(row)[0]));
  return texts.length === 1 && texts[0] === "ok" ? [] : texts;
}

/** Tables and indexes that are not what the steps make; empty for a sound file. One of a newer program may have more. */
export function schemaFindings(db: Db, migrations: readonly Migration[]): string[] {
  const model = openDatabase(":memory:");
  try {
    for (const migration of migrations) model.exec(migration.sql);
    const wanted = model.prepare(SCHEMA_OF).all();
    const found = new Map(db.prepare(SCHEMA_OF).all().map((row) => [row["name"], row["sql"]]));
    return wanted.filter((row) => found.get(row["name"]) !== row["sql"]).map((row) => `the schema of ${String(row["name"])} is not what it was made as`);
  } finally {
    model.close();
  }
}

/** The fields of the first 100 bytes that are the same in every file we make; an empty file is sound. */
export function headDamaged(path: string): boolean {
  const head = Buffer.alloc(100);
  const file = openSync(path, "r");
  try {
    if (readSync(file, head, 0, 100, 0) < 100) return false;
  } finally {
    closeSync(file);
  }
  if (head.toString("latin1", 0, 16) !== MAGIC) return true;
  const version = (at: number): boolean => head[at] === 1 || head[at] === 2;
  // Nought while the first page proper is still in the write-ahead log.
  const written = (at: number, value: number): boolean => head.readUInt32BE(at) === value || head.readUInt32BE(at) === 0;
  return head.readUInt16BE(16) !== 4096 || !version(18) || !version(19) || head[20] !== 0 || !written(56, 1) || !written(44, 4);
}

/** True when two texts differ as by a damaged byte, and not as two different contents do. */
export function nearlySame(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) different += 1;
  return different > 0 && different <= 2;
}
