import { badRequest } from "../http-error.ts";
import { type CommentRow, commentWire, isoNanos, isoSeconds } from "../rows/index.ts";

/** Query of a comment list, checked (server-api.md 13.5.1). Times are epoch milliseconds. */
export interface CommentQuery {
  readonly since?: number;
  readonly thread?: string;
  readonly tail?: number;
  readonly recent?: number;
  readonly before?: { readonly at: number; readonly id: string };
  readonly rootsOnly: boolean;
  readonly summary: boolean;
  readonly fold: boolean;
}

interface CommentPage {
  readonly comments: object[];
  /** Cursor of the next older page; absent on the last one. */
  readonly next?: { readonly before: string; readonly id: string };
}

/** Files by comment. */
type Files = ReadonlyMap<string, readonly object[]>;

interface Thread {
  readonly root: CommentRow;
  /** All comments of the thread, the root first, then in order of time. */
  readonly rows: readonly CommentRow[];
  readonly lastAt: number;
}

interface Selection {
  readonly threads: readonly Thread[];
  readonly next?: { readonly at: number; readonly id: string };
}

/** Picks and shapes the comments a query asks for; `rows` are all of the issue, oldest first. Pure. */
export function selectComments(rows: readonly CommentRow[], query: CommentQuery, files: Files): CommentPage {
  const threads = threadsOf(rows);
  const picked = query.thread !== undefined ? oneThread(threads, query) : query.recent !== undefined ? recentThreads(threads, query) : { threads };
  const order = new Map(rows.map((row, index) => [row.id, index]));
  const comments = picked.threads
    .flatMap((thread) => shapeThread(thread, query, files))
    .filter((entry) => query.since === undefined || entry.row.created_at > query.since)
    .sort((a, b) => (order.get(a.row.id) ?? 0) - (order.get(b.row.id) ?? 0))
    .map((entry) => entry.wire);
  if (picked.next === undefined) return { comments };
  return { comments, next: { before: isoNanos(picked.next.at), id: picked.next.id } };
}

function threadsOf(rows: readonly CommentRow[]): Thread[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const groups = new Map<string, CommentRow[]>();
  for (const row of rows) {
    const root = rootOf(row, byId);
    const group = groups.get(root.id);
    if (group === undefined) groups.set(root.id, root === row ? [row] : [root, row]);
    else if (root !== row) group.push(row);
  }
  return [...groups.values()].flatMap((group) => {
    const [root] = group;
    return root === undefined ? [] : [{ root, rows: group, lastAt: Math.max(...group.map((row) => row.created_at)) }];
  });
}

function rootOf(row: CommentRow, byId: ReadonlyMap<string, CommentRow>): CommentRow {
  let current = row;
  for (let parent = parentOf(current, byId); parent !== undefined; parent = parentOf(current, byId)) current = parent;
  return current;
}

function parentOf(row: CommentRow, byId: ReadonlyMap<string, CommentRow>): CommentRow | undefined {
  return row.parent_id === null ? undefined : byId.get(row.parent_id);
}

function oneThread(threads: readonly Thread[], query: CommentQuery): Selection {
  const thread = threads.find((candidate) => candidate.rows.some((row) => row.id === query.thread));
  if (thread === undefined) throw badRequest("thread comment not found on this issue");
  if (query.tail === undefined) return { threads: [thread] };
  const replies = thread.rows.slice(1);
  const older = query.before === undefined ? replies : replies.slice(0, cursorIndex(replies, query.before));
  const page = older.slice(-query.tail);
  const first = page[0];
  const more = older.length > page.length && first !== undefined;
  return { threads: [{ ...thread, rows: [thread.root, ...page] }], ...(more ? { next: { at: first.created_at, id: first.id } } : {}) };
}

function recentThreads(threads: readonly Thread[], query: CommentQuery): Selection {
  const ordered = [...threads].sort((a, b) => b.lastAt - a.lastAt || b.root.id.localeCompare(a.root.id));
  const { before } = query;
  const older =
    before === undefined
      ? ordered
      : ordered.filter((thread) => thread.lastAt < before.at || (thread.lastAt === before.at && thread.root.id < before.id));
  const page = older.slice(0, query.recent);
  const last = page.at(-1);
  const more = older.length > page.length && last !== undefined;
  return { threads: page, ...(more ? { next: { at: last.lastAt, id: last.root.id } } : {}) };
}

/** Where the older page ends: at the cursor's comment, or, when it is gone, at its time. */
function cursorIndex(replies: readonly CommentRow[], before: { at: number; id: string }): number {
  const exact = replies.findIndex((row) => row.id === before.id);
  if (exact !== -1) return exact;
  const later = replies.findIndex((row) => row.created_at >= before.at);
  return later === -1 ? replies.length : later;
}

function shapeThread(thread: Thread, query: CommentQuery, files: Files): { row: CommentRow; wire: object }[] {
  const { root } = thread;
  const folded = query.fold && root.resolved_at !== null;
  const rows = query.rootsOnly || folded ? [root] : thread.rows;
  return rows.map((row) => {
    if (row !== root) return { row, wire: shape(row, query, files, {}) };
    const counts = query.rootsOnly ? { reply_count: thread.rows.length - 1, last_activity_at: isoSeconds(thread.lastAt) } : {};
    const fold = folded ? { thread_resolved: true, folded_count: thread.rows.length - 1 } : {};
    return { row, wire: shape(row, query, files, { ...counts, ...fold }) };
  });
}

const SUMMARY_CHARS = 200;

function shape(row: CommentRow, query: CommentQuery, files: Files, extra: object): object {
  const wire = commentWire(row, files.get(row.id));
  const letters = query.summary ? [...row.content] : [];
  if (letters.length <= SUMMARY_CHARS) return { ...wire, ...extra };
  return { ...wire, content: letters.slice(0, SUMMARY_CHARS).join(""), content_truncated: true, ...extra };
}
