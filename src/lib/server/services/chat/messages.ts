import { all, insert, one, update } from "../../db/query.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type AttachmentRow, type ChatMessageRow, type ChatSessionRow, type TaskRow, attachmentWire, chatMessageWire, isoSeconds } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { linkAttachments } from "../attachments/attachments.ts";
import { type DetachedRefusal, enqueueDetached } from "../tasks/detached.ts";
import { HELD_STATES, OPEN_STATES, sqlStates } from "../tasks/states.ts";

/** Priority of a chat turn; one that is tried again goes before others (server-api.md 11.3). */
const CHAT_PRIORITY = 2;

const REFUSALS: Readonly<Record<DetachedRefusal, readonly [status: 403 | 409, text: string]>> = {
  target_unavailable: [409, "chat agent is archived"],
  agent_runtime_required: [409, "chat agent has no runtime"],
  runtime_offline: [409, "chat agent is offline"],
  invocation_not_allowed: [403, "you do not have permission to chat with this agent"],
};

/**
 * Stores what the person says and sees to it that a run answers it: the one that waits already, or a new one, which waits
 * for a run that is answering earlier messages (server-api.md 13.14).
 */
export function postMessage(tx: Tx, scope: Scope, session: ChatSessionRow, input: { readonly content: string; readonly attachment_ids?: readonly string[] | undefined }): object {
  if (input.content.trim() === "") throw badRequest("content is required");
  if (session.status === "archived") throw badRequest("chat session is archived");
  const busy = openTasks(tx.db, session.id);
  // One that is to be tried again in some seconds has not been handed out either.
  const task = busy.find((one) => one.status === "queued" || one.status === "deferred") ?? start(tx, scope, session);
  const id = tx.newId();
  insert(tx.db, "chat_message", { id, chat_session_id: session.id, role: "user", content: input.content, task_id: task.id, created_at: tx.now });
  linkAttachments(tx, scope, input.attachment_ids, { chat_session_id: session.id, chat_message_id: id });
  update(tx.db, "chat_session", session.id, { updated_at: tx.now });
  return {
    message_id: id,
    task_id: task.id,
    supports_queue: true,
    queued: busy.length > 0,
    attachment_ids: filesOf(tx.db, session.id).filter((file) => file.chat_message_id === id).map((file) => file.id),
    created_at: isoSeconds(tx.now),
  };
}

function start(tx: Tx, scope: Scope, session: ChatSessionRow): TaskRow {
  const outcome = enqueueDetached(tx, {
    agentId: session.agent_id,
    workspaceId: session.workspace_id,
    actor: scope.actor,
    columns: { chat_session_id: session.id, priority: CHAT_PRIORITY },
  });
  if (outcome.kind === "queued") return outcome.task;
  const [status, text] = REFUSALS[outcome.reason];
  throw new HttpError(status, text, { extra: { reason_code: outcome.reason } });
}

function openTasks(db: Tx["db"], sessionId: string): TaskRow[] {
  const sql = `SELECT * FROM task WHERE chat_session_id = :sessionId AND status IN (${sqlStates(OPEN_STATES)}) ORDER BY created_at, rowid`;
  return all<TaskRow>(db, sql, { sessionId });
}

/** What the conversation waits for: the run that answers now, and those behind it (server-api.md 13.14). */
export function pendingTask(db: Tx["db"], sessionId: string): object {
  const held: readonly string[] = HELD_STATES;
  // In the order in which they will run: one that is tried again goes before what was said meanwhile.
  const open = openTasks(db, sessionId).toSorted((a, b) => b.priority - a.priority);
  const current = open.find((task) => held.includes(task.status)) ?? open[0];
  const short = (task: TaskRow) => ({ task_id: task.id, status: task.status, created_at: isoSeconds(task.created_at) });
  return {
    ...(current === undefined ? {} : short(current)),
    ...(current?.wait_reason ? { wait_reason: current.wait_reason } : {}),
    supports_queue: true,
    queued_tasks: open.filter((task) => task !== current).map(short),
  };
}

/** The conversation, oldest first; with `limit` the latest so many before the message `beforeId`. */
export function listMessages(db: Tx["db"], sessionId: string, page: { readonly limit: number; readonly beforeId?: string }): ChatMessageRow[] {
  const before = page.beforeId === undefined ? Number.MAX_SAFE_INTEGER : seqOf(db, sessionId, page.beforeId);
  const sql = "SELECT * FROM chat_message WHERE chat_session_id = :sessionId AND seq < :before ORDER BY seq DESC LIMIT :limit";
  return all<ChatMessageRow>(db, sql, { sessionId, before, limit: page.limit }).reverse();
}

function seqOf(db: Tx["db"], sessionId: string, id: string): number {
  const row = one<{ seq: number }>(db, "SELECT seq FROM chat_message WHERE id = :id AND chat_session_id = :sessionId", { id, sessionId });
  if (row === undefined) throw badRequest("invalid cursor");
  return row.seq;
}

/** Messages with their files. */
export function messagesWire(db: Tx["db"], sessionId: string, rows: readonly ChatMessageRow[]): object[] {
  const files = filesOf(db, sessionId);
  return rows.map((row) => chatMessageWire(row, files.filter((file) => file.chat_message_id === row.id).map(attachmentWire)));
}

function filesOf(db: Tx["db"], sessionId: string): AttachmentRow[] {
  return all<AttachmentRow>(db, "SELECT * FROM attachment WHERE chat_session_id = :sessionId ORDER BY created_at, rowid", { sessionId });
}
