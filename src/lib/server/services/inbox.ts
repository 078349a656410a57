import { all, insert, one, run } from "../db/query.ts";
import { notFound } from "../http-error.ts";
import type { Actor } from "../context.ts";
import { type InboxItemRow, type IssueRow, inboxWire } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { actorId } from "./actor.ts";

export interface Notice {
  readonly workspaceId: string;
  readonly type: string;
  readonly severity?: "info" | "attention";
  readonly issueId?: string | null;
  readonly title: string;
  readonly body?: string | null;
  /** Who caused it; nobody is told of what they did themselves. */
  readonly actor?: Actor | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

const MAX_BODY = 500;

/** Tells a person something; a person who is no member of the workspace (any more) is not told. */
export function notify(tx: Tx, userId: string | null, notice: Notice): void {
  const { actor } = notice;
  if (userId === null || (actor?.type === "member" && actor.userId === userId)) return;
  const membership = { workspaceId: notice.workspaceId, userId };
  if (one(tx.db, "SELECT 1 FROM member WHERE workspace_id = :workspaceId AND user_id = :userId", membership) === undefined) return;
  insert(tx.db, "inbox_item", {
    id: tx.newId(),
    workspace_id: notice.workspaceId,
    recipient_id: userId,
    type: notice.type,
    severity: notice.severity ?? "info",
    issue_id: notice.issueId ?? null,
    title: notice.title,
    body: notice.body ? [...notice.body].slice(0, MAX_BODY).join("") : null,
    actor_type: actor?.type ?? null,
    actor_id: actor ? actorId(actor) : null,
    details: JSON.stringify(notice.details ?? {}),
    created_at: tx.now,
  });
}

/** Tells every person who follows the issue, but those named in `except`. */
export function notifySubscribers(tx: Tx, issue: IssueRow, notice: Omit<Notice, "workspaceId" | "issueId" | "title">, except: readonly string[] = []): void {
  const sql = "SELECT user_id FROM subscriber WHERE issue_id = :id AND user_type = 'member'";
  for (const { user_id: userId } of all<{ user_id: string }>(tx.db, sql, { id: issue.id })) {
    if (!except.includes(userId)) notify(tx, userId, { ...notice, workspaceId: issue.workspace_id, issueId: issue.id, title: issue.title });
  }
}

/** Whose inbox, in which workspace. */
export interface Inbox {
  readonly workspaceId: string;
  readonly userId: string;
}

const SELECT = "SELECT n.*, i.status AS issue_status FROM inbox_item n LEFT JOIN issue i ON i.id = n.issue_id";
const MINE = "recipient_id = :userId AND workspace_id = :workspaceId";
const MAX_ITEMS = 500;

/** Newest first; archived ones are a list of their own (server-api.md 13.15). */
export function listInbox(db: Tx["db"], inbox: Inbox, archived: boolean): object[] {
  const sql = `${SELECT} WHERE n.recipient_id = :userId AND n.workspace_id = :workspaceId AND n.archived = :archived
    ORDER BY n.created_at DESC, n.rowid DESC LIMIT ${MAX_ITEMS}`;
  return all<InboxItemRow & { issue_status: string | null }>(db, sql, { ...inbox, archived: archived ? 1 : 0 }).map(inboxWire);
}

export function unreadCount(db: Tx["db"], inbox: Inbox): number {
  const sql = `SELECT count(*) AS count FROM inbox_item WHERE ${MINE} AND read = 0 AND archived = 0`;
  return one<{ count: number }>(db, sql, { ...inbox })?.count ?? 0;
}

/** Marks one item of the inbox and returns it; 404 `inbox item not found`. */
export function markItem(tx: Tx, inbox: Inbox, id: string, column: "read" | "archived", value: boolean): object {
  const params = { ...inbox, id };
  // What is archived has been dealt with.
  const set = column === "archived" && value ? "archived = 1, read = 1" : `${column} = ${value ? 1 : 0}`;
  if (run(tx.db, `UPDATE inbox_item SET ${set} WHERE id = :id AND ${MINE}`, params) === 0) throw notFound("inbox item");
  const row = one<InboxItemRow & { issue_status: string | null }>(tx.db, `${SELECT} WHERE n.id = :id`, { id });
  if (row === undefined) throw notFound("inbox item");
  return inboxWire(row);
}

const MANY = {
  "mark-all-read": "UPDATE inbox_item SET read = 1 WHERE $MINE AND archived = 0 AND read = 0",
  "archive-all": "UPDATE inbox_item SET archived = 1, read = 1 WHERE $MINE AND archived = 0",
  "archive-all-read": "UPDATE inbox_item SET archived = 1 WHERE $MINE AND archived = 0 AND read = 1",
  "archive-completed": `UPDATE inbox_item SET archived = 1, read = 1 WHERE $MINE AND archived = 0
    AND issue_id IN (SELECT id FROM issue WHERE status IN ('done', 'cancelled'))`,
} as const;
export type ManyAction = keyof typeof MANY;
export const MANY_ACTIONS = Object.keys(MANY) as ManyAction[];

/** Returns how many items it changed. */
export function markMany(tx: Tx, inbox: Inbox, action: ManyAction): number {
  return run(tx.db, MANY[action].replace("$MINE", MINE), { ...inbox });
}
