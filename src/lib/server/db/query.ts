import type { Db } from "../../platform/index.ts";

export type SqlValue = string | number | null | Uint8Array;
type Statement = ReturnType<Db["prepare"]>;

// Statements belong to one open database and are compiled once; a closed database drops its map with itself.
const cache = new WeakMap<Db, Map<string, Statement>>();

function prepared(db: Db, sql: string): Statement {
  let statements = cache.get(db);
  if (statements === undefined) {
    statements = new Map();
    cache.set(db, statements);
  }
  let statement = statements.get(sql);
  if (statement === undefined) {
    statement = db.prepare(sql);
    // SQL with a varying number of placeholders must not grow this without end.
    if (statements.size > 500) statements.clear();
    statements.set(sql, statement);
  }
  return statement;
}

/** The first row, or undefined. The caller names the row type: columns are those of `schema.ts`. */
export function one<T>(db: Db, sql: string, ...params: SqlValue[]): T | undefined {
  return prepared(db, sql).get(...params) as T | undefined;
}

/** All rows. */
export function all<T>(db: Db, sql: string, ...params: SqlValue[]): T[] {
  return prepared(db, sql).all(...params) as T[];
}

/** Executes and returns how many rows changed: 0 is how a compare-and-set says "lost". */
export function run(db: Db, sql: string, ...params: SqlValue[]): number {
  return Number(prepared(db, sql).run(...params).changes);
}

/** Inserts one row; the keys are column names from code, never from a request. */
export function insert(db: Db, table: string, row: Readonly<Record<string, SqlValue>>): void {
  const columns = Object.keys(row);
  const marks = columns.map(() => "?").join(", ");
  run(db, `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${marks})`, ...Object.values(row));
}

/** Updates one row by id with the given columns; does nothing for an empty patch. Returns the number of rows changed. */
export function update(db: Db, table: string, id: string, patch: Readonly<Record<string, SqlValue>>): number {
  const columns = Object.keys(patch);
  if (columns.length === 0) return 0;
  const assignments = columns.map((column) => `${column} = ?`).join(", ");
  return run(db, `UPDATE ${table} SET ${assignments} WHERE id = ?`, ...Object.values(patch), id);
}

/** `?, ?, ?` for an IN list. */
export function marks(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}
