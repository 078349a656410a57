import type { Db, SqlParams } from "../../platform/index.ts";

// Parameters are named (`:id` in the SQL, `id` in the object). A list goes in as JSON text:
// `id IN (SELECT value FROM json_each(:ids))`, so that the SQL text, and with it the statement, stays the same.

/** The first row, or undefined. The caller names the row type: columns are those of `schema.ts`. */
export function one<T>(db: Db, sql: string, params: SqlParams = {}): T | undefined {
  return db.prepare(sql).get(params) as T | undefined;
}

/** All rows. */
export function all<T>(db: Db, sql: string, params: SqlParams = {}): T[] {
  return db.prepare(sql).all(params) as T[];
}

/** Executes and returns how many rows changed: 0 is how a compare-and-set says "lost". */
export function run(db: Db, sql: string, params: SqlParams = {}): number {
  return db.prepare(sql).run(params).changes;
}

/** Inserts one row; the keys are column names from code, never from a request. */
export function insert(db: Db, table: string, row: SqlParams): void {
  const columns = Object.keys(row);
  run(db, `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map((column) => `:${column}`).join(", ")})`, row);
}

/** Updates one row by its id with the given columns; an empty patch does nothing. Returns the number of rows changed. */
export function update(db: Db, table: string, id: string, patch: SqlParams): number {
  const columns = Object.keys(patch);
  if (columns.length === 0) return 0;
  const assignments = columns.map((column) => `${column} = :${column}`).join(", ");
  return run(db, `UPDATE ${table} SET ${assignments} WHERE id = :where_id`, { ...patch, where_id: id });
}
