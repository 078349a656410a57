import type { Db, SqlParams, SqlRow } from "../../platform/index.ts";
import { isGone } from "./backfill.ts";
import { compare, type CursorPlace, cursorPlace, cursorText, matcher, timeOf } from "./query.ts";
import { homesOfRoot } from "./registry.ts";
import type { SessionPage, SessionQuery, SessionRow } from "./types.ts";

const CHUNK = 500;

/** Rows that came up although their file is gone. */
export interface ListedPage {
  readonly page: SessionPage;
  readonly gone: readonly string[];
}

/**
 * One page of threads from the index, keyset on (time, id): equal times neither repeat nor skip (state-db.md 9, 19.1).
 * Reads on until the page is full, so that it is short only at the end.
 */
export function listFromIndex(db: Db, query: SessionQuery): ListedPage {
  const matches = matcher(query);
  const homes = new Map<number, string[]>();
  const sessions: SessionRow[] = [];
  const gone: string[] = [];
  let place = cursorPlace(query);
  for (;;) {
    const rows = chunk(db, query, place);
    for (const row of rows) {
      const session = toSession(row, () => []);
      place = { t: timeOf(session, query.sort), i: session.thread_id };
      if (!matches(session)) continue;
      const path = String(row["rollout_path"]);
      if (isGone(path)) {
        gone.push(path);
        continue;
      }
      if (sessions.length === query.limit) {
        const last = sessions.at(-1);
        const next = last === undefined ? null : cursorText(query, { t: timeOf(last, query.sort), i: last.thread_id });
        return { page: { sessions, next_cursor: next, from: "index", partial: false }, gone };
      }
      sessions.push({ ...session, homes: homesOf(db, session.thread_id, homes) });
    }
    if (rows.length < CHUNK) return { page: { sessions, next_cursor: null, from: "index", partial: false }, gone };
  }
}

const FROM = `FROM thread LEFT JOIN thread_name USING (thread_id) LEFT JOIN rollout ON rollout.path = thread.rollout_path`;
const COLUMNS = `thread.*, thread_name.name AS name, rollout.compressed AS compressed`;

function chunk(db: Db, query: SessionQuery, place: CursorPlace | null): SqlRow[] {
  const column = query.sort === "created" ? "thread.created_at_ms" : "thread.updated_at_ms";
  const [order, sign] = query.ascending ? ["ASC", ">"] : ["DESC", "<"];
  const params: Record<string, string | number> = { archived: query.archived ? 1 : 0, n: CHUNK };
  const terms = ["thread.preview <> ''", "thread.archived = :archived"];
  if (place !== null) {
    terms.push(`(${column} ${sign} :t OR (${column} = :t AND thread.thread_id ${sign} :i))`);
    Object.assign(params, { t: place.t, i: place.i });
  }
  for (const [name, value] of [["issue_id", query.issueId], ["task_id", query.taskId], ["agent_id", query.agentId]] as const) {
    if (value === undefined) continue;
    terms.push(`thread.${name} = :${name}`);
    params[name] = value;
  }
  if (query.home !== undefined) terms.push(homeTerm(query.home, params));
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE ${terms.join(" AND ")} ORDER BY ${column} ${order}, thread.thread_id ${order} LIMIT :n`;
  return db.prepare(sql).all(params as SqlParams);
}

/**
 * `user`: reached through the user's own home. `tasks`: worked on by a task, or kept in a home of tasks alone (many of
 * them link to the user's sessions, which does not make all of those theirs).
 */
function homeTerm(home: string, params: Record<string, string | number>): string {
  const through = (where: string): string =>
    `EXISTS (SELECT 1 FROM rollout AS r JOIN home ON r.root_id IN (home.sessions_root, home.archived_root) WHERE r.thread_id = thread.thread_id AND ${where})`;
  if (home === "user") return through("home.kind = 'user'");
  if (home === "tasks") return `(thread.workspace_id IS NOT NULL OR (${through("home.kind IN ('task', 'store')")} AND NOT ${through("home.kind = 'user'")}))`;
  params["home"] = home;
  return through("home.path = :home");
}

/** One thread's row; null when the index does not know it. */
export function sessionRow(db: Db, threadId: string): SessionRow | null {
  const row = db.prepare(`SELECT ${COLUMNS} ${FROM} WHERE thread.provider = 'codex' AND thread.thread_id = :threadId`).get({ threadId });
  return row === undefined ? null : toSession(row, () => homesOf(db, threadId, new Map()));
}

/** Every home that one of the thread's files is reached through. */
function homesOf(db: Db, threadId: string, known: Map<number, string[]>): string[] {
  const roots = db.prepare("SELECT DISTINCT root_id FROM rollout WHERE thread_id = :threadId AND root_id IS NOT NULL").all({ threadId });
  const homes = roots.flatMap((row) => {
    const rootId = Number(row["root_id"]);
    return remember(known, rootId, () => homesOfRoot(db, rootId));
  });
  return [...new Set(homes)];
}

function toSession(row: SqlRow, homes: () => readonly string[]): SessionRow {
  const text = (key: string): string | null => (typeof row[key] === "string" ? row[key] : null);
  const time = (key: string): string | null => (typeof row[key] === "number" ? new Date(row[key]).toISOString() : null);
  const path = String(row["rollout_path"]);
  const name = text("name");
  return {
    thread_id: String(row["thread_id"]),
    provider: "codex",
    title: text("title") ?? "",
    name: name === "" ? null : name,
    preview: text("preview") ?? "",
    created_at: time("created_at_ms") ?? "",
    updated_at: time("updated_at_ms") ?? "",
    cwd: text("cwd"),
    source: text("source"),
    model_provider: text("model_provider"),
    model: text("model"),
    tokens_used: Number(row["tokens_used"] ?? 0),
    archived: row["archived"] === 1,
    archived_at: time("archived_at_ms"),
    git: { sha: text("git_sha"), branch: text("git_branch"), origin_url: text("git_origin_url") },
    rollout_path: row["compressed"] === 1 ? `${path}.zst` : path,
    homes: homes(),
    task_id: text("task_id"),
    issue_id: text("issue_id"),
    agent_id: text("agent_id"),
  };
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Threads whose id begins with a text, at most `limit`. */
export function idsWithPrefix(db: Db, prefix: string, limit: number): string[] {
  const rows = db.prepare("SELECT thread_id FROM thread WHERE provider = 'codex' AND thread_id >= :prefix AND thread_id < :end ORDER BY thread_id LIMIT :limit").all({
    prefix,
    end: `${prefix}\u{10ffff}`,
    limit,
  });
  return rows.map((row) => String(row["thread_id"]));
}

/** The order of a page: for those who put one together from files. */
export function inOrder(query: SessionQuery): (a: SessionRow, b: SessionRow) => number {
  const place = (row: SessionRow): CursorPlace => ({ t: timeOf(row, query.sort), i: row.thread_id });
  return (a, b) => compare(query, place(a), place(b));
}
