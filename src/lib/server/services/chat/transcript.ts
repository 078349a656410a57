import type { ChatTranscript } from "../../../wire/index.ts";
import { one } from "../../db/query.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type ChatSessionRow, type TaskRow, isoNanos } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { listMessages } from "./messages.ts";

/** A conversation held here, not in some other service's channel. */
const DIRECT = "direct";

/** The conversation that the caller's task answers; a task token sees that one and no other (server-api.md 13.14). */
export function transcriptOf(db: Tx["db"], scope: Scope, page: { readonly limit: number; readonly before: string | undefined }): ChatTranscript {
  const session = sessionOfTask(db, scope);
  const beforeId = page.before === undefined || page.before === "" ? {} : { beforeId: page.before };
  // One more than asked for says whether there is an older page.
  const rows = listMessages(db, session.id, { limit: page.limit + 1, ...beforeId });
  const shown = rows.slice(-page.limit);
  const first = shown[0];
  const names = {
    user: one<{ name: string }>(db, "SELECT name FROM user WHERE id = :id", { id: session.creator_id })?.name ?? "",
    assistant: one<{ name: string }>(db, "SELECT name FROM agent WHERE id = :id", { id: session.agent_id })?.name ?? "",
  };
  return {
    channel_type: DIRECT,
    messages: shown.map((row) => ({
      id: row.id,
      author: names[row.role],
      author_id: row.role === "user" ? session.creator_id : session.agent_id,
      role: row.role,
      text: row.content,
      ts: isoNanos(row.created_at),
    })),
    ...(rows.length > shown.length && first !== undefined ? { next_cursor: first.id } : {}),
  };
}

function sessionOfTask(db: Tx["db"], scope: Scope): ChatSessionRow {
  const { taskId } = scope.actor;
  if (scope.actor.type !== "agent" || taskId === undefined) throw new HttpError(403, "this endpoint is only available to a chat task");
  const task = one<TaskRow>(db, "SELECT * FROM task WHERE id = :taskId", { taskId });
  const session = one<ChatSessionRow>(db, "SELECT * FROM chat_session WHERE id = :id", { id: task?.chat_session_id ?? "" });
  if (session === undefined) throw badRequest("this task is not a chat task");
  return session;
}
