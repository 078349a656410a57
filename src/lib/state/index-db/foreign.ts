import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { errorText } from "../../core/index.ts";
import { type Db, openDatabase, readRegularFile } from "../../platform/index.ts";

/** Codex's own thread database of one home, as far as it can be read. */
export interface CodexDatabase {
  readonly home: string;
  readonly path: string;
  /** The number in its name; the highest one counts. */
  readonly generation: number;
  readonly threads: number | null;
  /** What it says of its own backfill: `pending`, `running`, `complete`. */
  readonly backfill: string | null;
  readonly error: string | null;
}

const NAME = /^state_(\d+)\.sqlite$/;
const BUSY_MS = 200;

/**
 * Where a home's databases lie: what its settings say (`sqlite_home`), else `CODEX_SQLITE_HOME` of the environment, else the
 * home itself (state-db.md 2). Settings that cannot be read say nothing.
 */
export async function sqliteHome(home: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const text = await readRegularFile(join(home, "config.toml")).catch(() => undefined);
  const said = text === undefined ? undefined : await settingOf(text.toString("utf8"));
  const elsewhere = said ?? env["CODEX_SQLITE_HOME"]?.trim() ?? "";
  return elsewhere === "" ? home : resolve(home, elsewhere);
}

async function settingOf(text: string): Promise<string | undefined> {
  const { parse } = await import("smol-toml");
  try {
    const value = parse(text)["sqlite_home"];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Looks into a home's Codex database: read-only, one statement at a time, and never left open, since a reader that stays
 * keeps Codex from tidying its log (state-db.md 18.6). `directory` is where it lies. Null when there is none. Never throws.
 */
export function codexDatabase(home: string, directory = home): CodexDatabase | null {
  const found = list(directory)
    .map((name) => ({ name, generation: Number(NAME.exec(name)?.[1] ?? "0") }))
    .sort((a, b) => b.generation - a.generation)[0];
  if (found === undefined || found.generation === 0) return null;
  const path = join(directory, found.name);
  const base = { home, path, generation: found.generation };
  let db: Db | null = null;
  try {
    db = openDatabase(quietly(path), { readOnly: true, busyTimeoutMs: BUSY_MS });
    return { ...base, threads: count(db), backfill: backfillOf(db), error: null };
  } catch (error) {
    return { ...base, threads: null, backfill: null, error: errorText(error) };
  } finally {
    db?.close();
  }
}

/** Without a log beside it nobody has the file open: read as it stands, so that we leave no side files in a home of Codex's. */
function quietly(path: string): string {
  return existsSync(`${path}-wal`) ? path : `${pathToFileURL(path).href}?immutable=1`;
}

function count(db: Db): number | null {
  return hasColumn(db, "threads", "id") ? Number(db.scalar("SELECT count(*) FROM threads") ?? 0) : null;
}

function backfillOf(db: Db): string | null {
  if (!hasColumn(db, "backfill_state", "status")) return null;
  const status = db.scalar("SELECT status FROM backfill_state LIMIT 1");
  return typeof status === "string" ? status : null;
}

/** Versions of Codex differ in their columns: only what is there is asked for. */
function hasColumn(db: Db, table: "threads" | "backfill_state", column: string): boolean {
  return db.prepare(`PRAGMA table_info(${table})`).all().some((row) => row["name"] === column);
}

function list(home: string): string[] {
  try {
    return readdirSync(home).filter((name) => NAME.test(name));
  } catch {
    return [];
  }
}
