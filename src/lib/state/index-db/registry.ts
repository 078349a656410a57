import { statSync } from "node:fs";
import type { Db } from "../../platform/index.ts";
import { type Home, type HomePlaces, type ScanRoot, discoverHomes, resolveHomes } from "./homes.ts";

export interface RootRow {
  readonly rootId: number;
  readonly path: string;
  readonly archived: boolean;
  readonly complete: boolean;
}

/** The homes to look into: those that are found, and those that were given by hand before and are still there. */
export function knownHomes(db: Db, places: HomePlaces): Home[] {
  const found = discoverHomes(places);
  const paths = new Set(found.map((home) => home.path));
  const others = db.prepare("SELECT path, kind FROM home").all().map((row) => ({ path: String(row["path"]), kind: String(row["kind"]) as Home["kind"] }));
  const kept = others.filter((home) => !paths.has(home.path) && statSync(home.path, { throwIfNoEntry: false }) !== undefined);
  return [...resolveHomes(kept), ...found];
}

/**
 * Writes homes and roots, inside the caller's transaction. Homes that are gone are forgotten; returned are the roots in
 * the homes' order, and those that no home leads to any more.
 */
export function registerHomes(db: Db, homes: readonly Home[], nowMs: number): { roots: RootRow[]; orphans: RootRow[] } {
  for (const home of homes) registerHome(db, home, nowMs);
  const paths = new Set(homes.map((home) => home.path));
  for (const row of db.prepare("SELECT home_id, path FROM home").all()) {
    if (!paths.has(String(row["path"]))) db.prepare("DELETE FROM home WHERE home_id = :id").run({ id: Number(row["home_id"]) });
  }
  const wanted = new Map(homes.flatMap(rootsOf).map((root, at) => [root.path, at]));
  const all = rootRows(db);
  const roots = all.filter((row) => wanted.has(row.path)).sort((a, b) => (wanted.get(a.path) ?? 0) - (wanted.get(b.path) ?? 0));
  return { roots, orphans: all.filter((row) => !wanted.has(row.path)) };
}

export function rootRows(db: Db): RootRow[] {
  return db.prepare("SELECT root_id, real_path, archived, status FROM scan_root").all().map((row) => ({
    rootId: Number(row["root_id"]),
    path: String(row["real_path"]),
    archived: row["archived"] === 1,
    complete: row["status"] === "complete",
  }));
}

export function rootsOf(home: Home): ScanRoot[] {
  return [home.sessions, home.archive].filter((root) => root !== null);
}

function registerHome(db: Db, home: Home, nowMs: number): void {
  for (const root of rootsOf(home)) {
    db.prepare("INSERT INTO scan_root (real_path, archived, status) VALUES (:path, :archived, 'pending') ON CONFLICT (real_path) DO NOTHING").run({
      path: root.path,
      archived: root.archived ? 1 : 0,
    });
  }
  db.prepare(
    `INSERT INTO home (path, kind, sessions_root, archived_root, first_seen_ms, last_seen_ms, state, error)
     VALUES (:path, :kind, (SELECT root_id FROM scan_root WHERE real_path = :sessions), (SELECT root_id FROM scan_root WHERE real_path = :archive), :now, :now, :state, :error)
     ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, sessions_root = excluded.sessions_root, archived_root = excluded.archived_root,
       last_seen_ms = excluded.last_seen_ms, state = excluded.state, error = excluded.error`,
  ).run({
    path: home.path,
    kind: home.kind,
    sessions: home.sessions?.path ?? "",
    archive: home.archive?.path ?? "",
    now: nowMs,
    state: home.error === null ? "ok" : "error",
    error: home.error,
  });
}

/** Homes that lead to a root, by their paths. */
export function homesOfRoot(db: Db, rootId: number): string[] {
  return db
    .prepare("SELECT path FROM home WHERE sessions_root = :rootId OR archived_root = :rootId ORDER BY kind = 'user' DESC, path")
    .all({ rootId })
    .map((row) => String(row["path"]));
}
