import { isObject, parseJson } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import type { AttachmentRow, ChatMessageRow, ChatSessionRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { commentText } from "../tasks/final-text.ts";

const NO_RESPONSE = "The agent finished without an answer.";

/**
 * The end of a chat turn becomes the assistant's message (server-api.md 6.8, 6.9). What a cancelled one becomes is decided
 * where it is cancelled, or later (`cancelled.ts`).
 */
export function afterChatTurn(tx: Tx, task: TaskRow): void {
  if (task.status === "cancelled") return;
  const failed = task.status === "failed";
  const text = commentText(failed ? (task.error ?? "") : outputOf(task));
  const silent = text === "" && !failed;
  addAnswer(tx, task, { content: silent ? NO_RESPONSE : text, failureReason: failed ? task.failure_reason : null, kind: silent ? "no_response" : "message" });
}

export interface Answer {
  readonly content: string;
  readonly failureReason: string | null;
  readonly kind: "message" | "no_response";
}

/** The assistant's message of a turn, with the files the agent sent along; nothing when the conversation is gone. */
export function addAnswer(tx: Tx, task: TaskRow, answer: Answer): void {
  const sessionId = task.chat_session_id;
  if (sessionId === null || one(tx.db, "SELECT 1 FROM chat_session WHERE id = :sessionId", { sessionId }) === undefined) return;
  const id = tx.newId();
  insert(tx.db, "chat_message", {
    id,
    chat_session_id: sessionId,
    role: "assistant",
    content: answer.content,
    task_id: task.id,
    failure_reason: answer.failureReason,
    elapsed_ms: task.started_at === null ? null : (task.completed_at ?? tx.now) - task.started_at,
    message_kind: answer.kind,
    created_at: tx.now,
  });
  run(tx.db, "UPDATE attachment SET chat_message_id = :id WHERE task_id = :taskId AND chat_session_id = :sessionId AND chat_message_id IS NULL", {
    id,
    taskId: task.id,
    sessionId,
  });
  update(tx.db, "chat_session", sessionId, { updated_at: tx.now });
}

/** The messages a failed turn had to answer are its successor's now. */
export function moveMessages(tx: Tx, from: TaskRow, to: TaskRow): void {
  run(tx.db, "UPDATE chat_message SET task_id = :to WHERE task_id = :from AND role = 'user'", { from: from.id, to: to.id });
}

export interface ChatFields {
  readonly fields: Partial<Task>;
  readonly projectId: string | null;
  readonly refusal?: string;
}

/** What a claim says of a chat turn; refused when there is nothing (any more) to answer (server-api.md 5.4, 5.6). */
export function chatFields(tx: Tx, task: TaskRow): ChatFields {
  const session = one<ChatSessionRow>(tx.db, "SELECT * FROM chat_session WHERE id = :id", { id: task.chat_session_id });
  const messages = all<ChatMessageRow>(
    tx.db,
    "SELECT * FROM chat_message WHERE task_id = :id AND role = 'user' ORDER BY seq",
    { id: task.id },
  );
  const text = messages.map((message) => message.content).filter((content) => content.trim() !== "").join("\n\n");
  if (session === undefined || text === "") return { fields: {}, projectId: null, refusal: "chat task has no pending message" };
  if (session.workspace_id !== task.workspace_id) return { fields: {}, projectId: null, refusal: "task isolation check failed: the chat belongs to another workspace" };
  const sql = `SELECT * FROM attachment WHERE chat_message_id IN (SELECT value FROM json_each(:ids)) ORDER BY created_at, rowid`;
  const files = all<AttachmentRow>(tx.db, sql, { ids: JSON.stringify(messages.map((message) => message.id)) });
  return {
    projectId: session.project_id,
    fields: {
      chat_session_id: session.id,
      chat_message: text,
      ...(session.title === "" ? {} : { thread_name: session.title }),
      ...(files.length === 0
        ? {}
        : { chat_message_attachments: files.map((file) => ({ id: file.id, filename: file.filename, content_type: file.content_type })) }),
    },
  };
}

function outputOf(task: TaskRow): string {
  const result = task.result === null ? undefined : parseJson(task.result);
  return isObject(result) && typeof result["output"] === "string" ? result["output"] : "";
}
