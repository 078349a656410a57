import type { ChatMessage, ChatSession } from "../../wire/index.ts";
import { isoSeconds } from "./time.ts";

export interface ChatSessionRow {
  id: string;
  workspace_id: string;
  agent_id: string;
  creator_id: string;
  project_id: string | null;
  title: string;
  status: "active" | "archived";
  pinned: number;
  read_seq: number;
  created_at: number;
  updated_at: number;
}

export interface ChatMessageRow {
  seq: number;
  id: string;
  chat_session_id: string;
  role: "user" | "assistant";
  content: string;
  task_id: string | null;
  failure_reason: string | null;
  elapsed_ms: number | null;
  message_kind: string;
  created_at: number;
}

const PREVIEW = 200;

/** Session as in server-api.md 13.14. */
export function chatSessionWire(row: ChatSessionRow, facts: { readonly unread: number; readonly last: ChatMessageRow | undefined }): ChatSession {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    agent_id: row.agent_id,
    creator_id: row.creator_id,
    project_id: row.project_id,
    title: row.title,
    status: row.status,
    has_unread: facts.unread > 0,
    unread_count: facts.unread,
    last_message:
      facts.last === undefined
        ? null
        : { role: facts.last.role, content: [...facts.last.content].slice(0, PREVIEW).join(""), created_at: isoSeconds(facts.last.created_at) },
    pinned: row.pinned === 1,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}

export function chatMessageWire(row: ChatMessageRow, files: readonly object[]): ChatMessage {
  return {
    id: row.id,
    chat_session_id: row.chat_session_id,
    role: row.role,
    content: row.content,
    task_id: row.task_id,
    created_at: isoSeconds(row.created_at),
    failure_reason: row.failure_reason,
    elapsed_ms: row.elapsed_ms,
    message_kind: row.message_kind,
    quick_actions: [],
    attachments: files,
  };
}
