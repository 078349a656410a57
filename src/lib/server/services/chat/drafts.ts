import { all, insert, one, run } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import { type AttachmentRow, type ChatMessageRow, type TaskRow, attachmentWire, isoSeconds, stringsColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

interface DraftRow {
  readonly id: string;
  readonly chat_session_id: string;
  readonly task_id: string;
  readonly content: string;
  readonly attachment_ids: string;
  readonly created_at: number;
}

/**
 * Takes what a person said in a turn without an answer out of the conversation and keeps it as a draft, its files free to
 * be sent again. Without effect when nothing (any more) was said there.
 */
export function saveDraft(tx: Tx, task: TaskRow, options: { readonly handedOver: boolean }): void {
  const messages = all<ChatMessageRow>(tx.db, "SELECT * FROM chat_message WHERE task_id = :id AND role = 'user' ORDER BY seq", { id: task.id });
  const last = messages.at(-1);
  if (last === undefined) return;
  const ids = JSON.stringify(messages.map((message) => message.id));
  const files = all<AttachmentRow>(tx.db, "SELECT * FROM attachment WHERE chat_message_id IN (SELECT value FROM json_each(:ids)) ORDER BY created_at, rowid", { ids });
  insert(tx.db, "chat_draft", {
    id: last.id,
    chat_session_id: last.chat_session_id,
    task_id: task.id,
    content: messages.map((message) => message.content).join("\n\n"),
    attachment_ids: JSON.stringify(files.map((file) => file.id)),
    handed_over: options.handedOver ? 1 : 0,
    created_at: tx.now,
  });
  run(tx.db, "UPDATE attachment SET chat_message_id = NULL WHERE chat_message_id IN (SELECT value FROM json_each(:ids))", { ids });
  run(tx.db, "DELETE FROM chat_message WHERE id IN (SELECT value FROM json_each(:ids))", { ids });
}

/** The opposite: what was said stands in the conversation again. False when it is not among the drafts (any more). */
export function returnDraft(tx: Tx, taskId: string): boolean {
  const draft = one<DraftRow>(tx.db, "SELECT * FROM chat_draft WHERE task_id = :taskId AND handed_over = 0", { taskId });
  if (draft === undefined) return false;
  const { id, chat_session_id, content, created_at } = draft;
  insert(tx.db, "chat_message", { id, chat_session_id, role: "user", content, task_id: taskId, created_at });
  const free = "UPDATE attachment SET chat_message_id = :id WHERE id IN (SELECT value FROM json_each(:files)) AND chat_message_id IS NULL";
  run(tx.db, free, { id, files: draft.attachment_ids });
  run(tx.db, "DELETE FROM chat_draft WHERE id = :id", { id });
  return true;
}

/** The draft that the cancellation of a turn gave back, as its answer says it; repeated as often as that is asked for. */
export function cancelledMessage(db: Tx["db"], taskId: string): object | undefined {
  const draft = one<DraftRow>(db, "SELECT * FROM chat_draft WHERE task_id = :taskId AND handed_over = 1", { taskId });
  if (draft === undefined) return undefined;
  return { chat_session_id: draft.chat_session_id, message_id: draft.id, content: draft.content, restore_to_input: true, attachments: filesOf(db, draft) };
}

/** Drafts that nobody has been given yet, oldest first: those of turns that had begun when they were cancelled. */
export function listDrafts(db: Tx["db"], sessionId: string): object[] {
  const sql = "SELECT * FROM chat_draft WHERE chat_session_id = :sessionId AND handed_over = 0 ORDER BY created_at, rowid";
  return all<DraftRow>(db, sql, { sessionId }).map((draft) => ({
    id: draft.id,
    chat_session_id: draft.chat_session_id,
    task_id: draft.task_id,
    content: draft.content,
    attachments: filesOf(db, draft),
    created_at: isoSeconds(draft.created_at),
  }));
}

/** The person has it back; 404 `draft not found` when it is not there. */
export function dropDraft(tx: Tx, sessionId: string, id: string): void {
  const gone = run(tx.db, "DELETE FROM chat_draft WHERE id = :id AND chat_session_id = :sessionId", { id, sessionId });
  if (gone === 0) throw notFound("draft");
}

function filesOf(db: Tx["db"], draft: DraftRow): object[] {
  const ids = JSON.stringify(stringsColumn(draft.attachment_ids));
  const sql = "SELECT * FROM attachment WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY created_at, rowid";
  return all<AttachmentRow>(db, sql, { ids }).map(attachmentWire);
}
