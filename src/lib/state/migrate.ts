import { MulticaError } from "../core/index.ts";
import type { Clock, Db } from "../platform/index.ts";
import { nearlySame } from "./damage.ts";
import { FAMILY, type Migration, OLDEST_READABLE, checksum } from "./schema.ts";

export interface MigrateOptions {
  readonly migrations: readonly Migration[];
  /** Product version, for the record. */
  readonly version: string;
  readonly clock: Clock;
  /** Rows of `meta` that are written once, when the file is made. */
  readonly meta: Readonly<Record<string, string>>;
  /** Which of our databases it is; the state file unless given. */
  readonly family?: string;
}

interface Applied {
  readonly version: number;
  readonly checksum: string;
  readonly app: string;
}

/** Schema version of a file: 0 for one that is still empty. */
export function schemaVersion(db: Db): number {
  return Number(db.scalar("PRAGMA user_version") ?? 0);
}

/**
 * Applies all missing steps in one transaction; what is missing is read inside it, because another process may just have
 * done the work. Throws `state_mismatch` when a step in the file is not the one we know, `state_newer` when a later
 * program wrote the file in a way we must not write to, `state_foreign` for a file of something else (state-db.md 16).
 */
export function migrate(db: Db, options: MigrateOptions): { from: number; to: number } {
  return db.transaction(() => {
    const family = options.family ?? FAMILY;
    const applied = readApplied(db, family);
    const from = applied.at(-1)?.version ?? 0;
    // The steps are written without gaps, and their number twice.
    if (applied.length !== from || schemaVersion(db) !== from) throw damaged(db, "the list of its steps");
    checkKnown(db, applied, options.migrations);
    const latest = options.migrations.at(-1)?.version ?? 0;
    if (from > latest) {
      const needed = Number(metaValue(db, "min_writer") ?? from);
      if (needed > latest) throw newer(db, applied, "written to");
      return { from, to: from };
    }
    const missing = options.migrations.filter((migration) => migration.version > from);
    for (const migration of missing) apply(db, migration, options);
    const last = missing.at(-1);
    if (last !== undefined) finish(db, last, { ...options, family });
    return { from, to: last?.version ?? from };
  });
}

/** Checks that a file which is not to be migrated can be read by this program. */
export function checkReadable(db: Db, migrations: readonly Migration[], family = FAMILY): void {
  const applied = readApplied(db, family);
  const version = applied.at(-1)?.version ?? 0;
  if (version < OLDEST_READABLE) {
    throw new MulticaError("state_behind", `the state database is not readable until the daemon has started once: ${db.path}`, {
      suggestions: ["Run `multica daemon start`."],
    });
  }
  checkKnown(db, applied, migrations);
  const latest = migrations.at(-1)?.version ?? 0;
  if (version > latest && Number(metaValue(db, "min_reader") ?? version) > latest) throw newer(db, applied, "read");
}

function readApplied(db: Db, family: string): Applied[] {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  if (tables.length === 0) return [];
  const names = new Set(tables.map((row) => row["name"]));
  if (!names.has("migration") || !names.has("meta") || metaValue(db, "family") !== family) {
    if (nearlySame(metaValueOr(db, names), family) || OURS.every((table) => names.has(table))) throw damaged(db, "its own name");
    throw new MulticaError("state_foreign", `not a ${family} database: ${db.path}`, { suggestions: ["Move that file away."] });
  }
  const rows = db.prepare("SELECT version, checksum, app_version FROM migration ORDER BY version").all();
  return rows.map((row) => ({ version: Number(row["version"]), checksum: String(row["checksum"]), app: String(row["app_version"]) }));
}

function checkKnown(db: Db, applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const migration of migrations) {
    const found = applied.find((row) => row.version === migration.version);
    if (found === undefined || found.checksum === checksum(migration)) continue;
    if (nearlySame(found.checksum, checksum(migration))) throw damaged(db, `the checksum of step ${migration.version}`);
    const text = `state database ${db.path}: step ${migration.version} (${migration.name}) was applied by multica ${found.app} with other content`;
    throw new MulticaError("state_mismatch", text, { suggestions: ["Use the version of multica that made the file, or move the file away."] });
  }
}

function apply(db: Db, migration: Migration, options: MigrateOptions): void {
  db.exec(migration.sql);
  db.prepare(
    "INSERT INTO migration (version, name, checksum, applied_at_ms, app_version) VALUES (:version, :name, :checksum, :at, :app)",
  ).run({
    version: migration.version,
    name: migration.name,
    checksum: checksum(migration),
    at: options.clock.now(),
    app: options.version,
  });
}

function finish(db: Db, last: Migration, options: MigrateOptions & { readonly family: string }): void {
  const once = db.prepare("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING");
  for (const [key, value] of Object.entries({ ...options.meta, family: options.family })) once.run({ key, value });
  const always = db.prepare("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  always.run({ key: "min_reader", value: String(last.minReader) });
  always.run({ key: "min_writer", value: String(last.minWriter) });
  db.exec(`PRAGMA user_version=${last.version}`);
}

/** A row of `meta`, or undefined. */
export function metaValue(db: Db, key: string): string | undefined {
  const value = db.prepare("SELECT value FROM meta WHERE key = :key").get({ key })?.["value"];
  return typeof value === "string" ? value : undefined;
}

function newer(db: Db, applied: readonly Applied[], what: string): MulticaError {
  const last = applied.at(-1);
  const text = `state database ${db.path} was written by multica ${last?.app ?? "?"} (schema ${last?.version ?? "?"}) and cannot be ${what} by this version`;
  return new MulticaError("state_newer", text, { suggestions: [`Use multica ${last?.app ?? "of that version"} or newer.`] });
}

/** Tables that only a state file has. */
const OURS = ["task", "daemon_run", "lease"];

function metaValueOr(db: Db, names: ReadonlySet<unknown>): string {
  return names.has("meta") ? (metaValue(db, "family") ?? "") : "";
}

/** Something that cannot have been written so. */
function damaged(db: Db, what: string): MulticaError {
  return new MulticaError("state_corrupt", `the state database ${db.path} is damaged: ${what} does not read as it was written`);
}
