import type { ChatSessionInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type ChatMessageRow, type ChatSessionRow, chatSessionWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { loadAgent } from "../agents.ts";
import { projectColumn } from "../issue-input.ts";
import { cancelTasksOfChat } from "../tasks/enqueue.ts";
import { mayInvoke } from "../tasks/permission.ts";
import { isUuid } from "../../../core/index.ts";

const MAX_TITLE = 200;

/** The caller's conversations, pinned ones first, then the latest (server-api.md 13.14). */
export function listSessions(db: Tx["db"], scope: Scope, status: string | null): object[] {
  const sql = `SELECT * FROM chat_session WHERE workspace_id = :workspaceId AND creator_id = :userId
    AND (:status IS NULL OR status = :status) ORDER BY pinned DESC, updated_at DESC, rowid DESC`;
  const params = { workspaceId: scope.workspace.id, userId: scope.actor.userId, status };
  return all<ChatSessionRow>(db, sql, params).map((row) => present(db, row));
}

/** A conversation is its person's alone: anybody else's is 404 `chat session not found`. */
export function loadSession(db: Tx["db"], scope: Scope, id: string): ChatSessionRow {
  const sql = "SELECT * FROM chat_session WHERE id = :id AND workspace_id = :workspaceId AND creator_id = :userId";
  const row = one<ChatSessionRow>(db, sql, { id, workspaceId: scope.workspace.id, userId: scope.actor.userId });
  if (row === undefined) throw notFound("chat session");
  return row;
}

export function showSession(db: Tx["db"], scope: Scope, id: string): object {
  return present(db, loadSession(db, scope, id));
}

/** Opens a conversation with an agent the caller may start. Returns its id. */
export function createSession(tx: Tx, scope: Scope, input: ChatSessionInput): string {
  const agentId = (input.agent_id ?? "").toLowerCase();
  if (agentId === "") throw badRequest("agent_id is required");
  if (!isUuid(agentId)) throw badRequest("invalid agent_id");
  const agent = loadAgent(tx.db, scope.workspace.id, agentId);
  if (agent.archived_at !== null) throw badRequest("agent is archived");
  if (!mayInvoke(agent, scope.actor.userId)) throw new HttpError(403, "you do not have permission to chat with this agent");
  const id = tx.newId();
  insert(tx.db, "chat_session", {
    id,
    workspace_id: scope.workspace.id,
    agent_id: agent.id,
    creator_id: scope.actor.userId,
    project_id: projectColumn(tx, scope.workspace.id, input.project_id),
    title: titleOf(input.title),
    created_at: tx.now,
    updated_at: tx.now,
  });
  return id;
}

/** Partial update. An archived conversation is over: what it waits for is cancelled. */
export function updateSession(tx: Tx, scope: Scope, row: ChatSessionRow, input: ChatSessionInput): void {
  if (input.agent_id !== undefined && input.agent_id.toLowerCase() !== row.agent_id) throw badRequest("agent_id cannot be changed");
  if (input.status !== undefined && input.status !== "active" && input.status !== "archived") throw badRequest("status must be 'active' or 'archived'");
  update(tx.db, "chat_session", row.id, {
    ...(input.title === undefined ? {} : { title: titleOf(input.title) }),
    ...(input.project_id === undefined ? {} : { project_id: projectColumn(tx, scope.workspace.id, input.project_id) }),
    ...(input.pinned === undefined ? {} : { pinned: input.pinned ? 1 : 0 }),
    ...(input.status === undefined ? {} : { status: input.status }),
    updated_at: tx.now,
  });
  if (input.status === "archived") cancelTasksOfChat(tx, row.id);
}

/** Deletes the conversation with its messages and files; its runs are cancelled. */
export function deleteSession(tx: Tx, row: ChatSessionRow): void {
  cancelTasksOfChat(tx, row.id);
  run(tx.db, "DELETE FROM attachment WHERE chat_session_id = :id", { id: row.id });
  run(tx.db, "DELETE FROM chat_session WHERE id = :id", { id: row.id });
}

/** Everything up to now has been read. */
export function markRead(tx: Tx, row: ChatSessionRow): void {
  run(
    tx.db,
    `UPDATE chat_session SET read_seq = (SELECT coalesce(max(seq), 0) FROM chat_message WHERE chat_session_id = :id) WHERE id = :id`,
    { id: row.id },
  );
}

function present(db: Tx["db"], row: ChatSessionRow): object {
  const unread = one<{ count: number }>(
    db,
    "SELECT count(*) AS count FROM chat_message WHERE chat_session_id = :id AND role = 'assistant' AND seq > :seq",
    { id: row.id, seq: row.read_seq },
  );
  const last = one<ChatMessageRow>(db, "SELECT * FROM chat_message WHERE chat_session_id = :id ORDER BY seq DESC LIMIT 1", { id: row.id });
  return chatSessionWire(row, { unread: unread?.count ?? 0, last });
}

function titleOf(title: string | null | undefined): string {
  const text = (title ?? "").trim();
  if ([...text].length > MAX_TITLE) throw badRequest(`title exceeds ${MAX_TITLE} characters`);
  return text;
}
