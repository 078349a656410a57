import type { DatabaseSync, StatementSync } from "node:sqlite";
import type * as NodeSqlite from "node:sqlite";
import { EXIT, MulticaError, errorText } from "../core/index.ts";

export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;
export type SqlParams = Readonly<Record<string, SqlValue>>;

export interface Statement {
  run(params?: SqlParams): { changes: number; lastId: number };
  get(params?: SqlParams): SqlRow | undefined;
  all(params?: SqlParams): SqlRow[];
}

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** How long a statement waits for another connection's lock, in milliseconds; 5000 unless given. */
  readonly busyTimeoutMs?: number;
}

type Constructor = new (path: string, options?: { readOnly?: boolean }) => DatabaseSync;

let constructor: Constructor | undefined;

/** Loads `node:sqlite` once and keeps its one experimental warning (older 22.x) from the user. */
function load(): Constructor {
  if (constructor !== undefined) return constructor;
  const emit = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    const text = warning instanceof Error ? warning.message : warning;
    if (!text.includes("SQLite is an experimental feature")) emit.call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    const loaded = process.getBuiltinModule("node:sqlite") as typeof NodeSqlite | undefined;
    if (loaded === undefined) {
      throw new MulticaError("node_too_old", `this Node (${process.version}) has no node:sqlite`, {
        suggestions: ["Use Node 22.13 or newer."],
      });
    }
    constructor = loaded.DatabaseSync as Constructor;
    return constructor;
  } finally {
    process.emitWarning = emit;
  }
}

/** Primary SQLite result code of an error (5 busy, 11 corrupt, 13 full, 26 not a database), or undefined. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** True for a lock held by somebody else, the snapshot conflict 517 included. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === 5;
}

/** True when the statement broke a UNIQUE or PRIMARY KEY rule. */
export function isUniqueViolation(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return code === 2067 || code === 1555;
}

/** One connection to one file. Everything is synchronous; statements are prepared once and kept. */
export class Db {
  readonly path: string;
  #raw: DatabaseSync;
  readonly #statements = new Map<string, Statement>();
  #inTransaction = false;
  #open = true;

  constructor(path: string, options: OpenOptions = {}) {
    this.path = path;
    try {
      this.#raw = new (load())(path, { readOnly: options.readOnly ?? false });
      this.#raw.exec(`PRAGMA busy_timeout=${Math.floor(options.busyTimeoutMs ?? 5000)}`);
    } catch (error) {
      throw new MulticaError("database_open", `cannot open the database ${path}: ${errorText(error)}`, {
        cause: error,
        exit: EXIT.failed,
      });
    }
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  exec(sql: string): void {
    this.#raw.exec(sql);
  }

  /** Value of a pragma, or of the first column of a one-row query. */
  scalar(sql: string): SqlValue | undefined {
    const row = this.#raw.prepare(sql).get() as SqlRow | undefined;
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** A prepared statement; named parameters (`:name`) are given without their colon. Missing ones are an error. */
  prepare(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = wrap(this.#raw.prepare(sql));
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs `fn` between BEGIN IMMEDIATE and COMMIT; any throw rolls everything back. Nested calls join the outer one. */
  transaction<T>(fn: () => T): T {
    if (this.#inTransaction) return fn();
    this.#raw.exec("BEGIN IMMEDIATE");
    this.#inTransaction = true;
    try {
      const result = fn();
      if (result instanceof Promise) throw new MulticaError("bug", "a transaction must not be asynchronous");
      this.#raw.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  /** Leaves the file it has open and opens what lies at its path now; everything prepared is forgotten, pragmas too. */
  reopen(): void {
    if (this.#inTransaction) throw new MulticaError("bug", "a database cannot be opened anew inside a transaction");
    const fresh = new (load())(this.path);
    this.#statements.clear();
    this.#raw.close();
    this.#raw = fresh;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#statements.clear();
    this.#raw.close();
  }

  #rollback(): void {
    try {
      this.#raw.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself (full disk, I/O error): the first error is the one to show.
    }
  }
}

function wrap(raw: StatementSync): Statement {
  return {
    run: (params = {}) => {
      const result = raw.run(params);
      return { changes: Number(result.changes), lastId: Number(result.lastInsertRowid) };
    },
    get: (params = {}) => raw.get(params) as SqlRow | undefined,
    all: (params = {}) => raw.all(params) as SqlRow[],
  };
}

/** Opens a database file; creates it unless read-only. The caller closes it. */
export function openDatabase(path: string, options: OpenOptions = {}): Db {
  return new Db(path, options);
}
