import type { SqlParams } from "../../../platform/index.ts";
import type { Actor } from "../../context.ts";
import { all, one } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { cancelTurn } from "../chat/cancelled.ts";
import { afterEnd } from "./aftermath.ts";
import { releaseWaiting } from "./follow-ups.ts";
import { OPEN_STATES, sqlStates } from "./states.ts";
import { endTask, findTask } from "./store.ts";

/**
 * Cancels a task for a user: at once, whatever a daemon is doing with it; the daemon sees it at its next poll.
 * A task that has ended stays as it is. Undefined when there is no such task (server-api.md 11.9).
 */
export function cancelTask(tx: Tx, id: string, actor: Actor, options: { readonly knowsDrafts?: boolean } = {}): TaskRow | undefined {
  const cancelled = cancelRow(tx, id);
  if (cancelled !== undefined && cancelled.chat_session_id !== null) {
    const own = isOwnChat(tx, cancelled.chat_session_id, actor);
    cancelTurn(tx, cancelled, own && options.knowsDrafts === true ? "restore" : "keep", own);
  }
  return findTask(tx.db, id);
}

/** Words of a conversation go back to the person they are from, and to nobody else. */
export function isOwnChat(tx: Pick<Tx, "db">, sessionId: string, actor: Actor): boolean {
  if (actor.type !== "member") return false;
  return one(tx.db, "SELECT 1 FROM chat_session WHERE id = :sessionId AND creator_id = :userId", { sessionId, userId: actor.userId }) !== undefined;
}

/** Cancels without an actor, with further columns to set; undefined when the task had ended already. */
export function cancelRow(tx: Tx, id: string, set: SqlParams = {}): TaskRow | undefined {
  const cancelled = endTask(tx, id, { to: "cancelled", set });
  if (cancelled === undefined) return undefined;
  afterEnd(tx, cancelled);
  releaseWaiting(tx, cancelled);
  return cancelled;
}

/** Cancels everything that is open on an issue, above all before the issue is deleted. Returns how many. */
export function cancelTasksOfIssue(tx: Tx, issueId: string): number {
  return cancelAll(tx, "issue_id", issueId);
}

/** Cancels everything that is open for an agent: it was archived, or a user asked for it. Returns how many. */
export function cancelTasksOfAgent(tx: Tx, agentId: string): number {
  return cancelAll(tx, "agent_id", agentId);
}

/** Cancels everything that is open on a runtime that is about to go. Returns how many. */
export function cancelTasksOfRuntime(tx: Tx, runtimeId: string): number {
  return cancelAll(tx, "runtime_id", runtimeId);
}

/** Cancels the runs of an autopilot that is about to go. */
export function cancelTasksOfAutopilot(tx: Tx, autopilotId: string): void {
  const sql = `SELECT t.id FROM task t JOIN autopilot_run r ON r.id = t.autopilot_run_id
    WHERE r.autopilot_id = :autopilotId AND t.status IN (${sqlStates(OPEN_STATES)})`;
  for (const { id } of all<{ id: string }>(tx.db, sql, { autopilotId })) cancelRow(tx, id);
}

/** Cancels everything a conversation waits for. Returns how many. */
export function cancelTasksOfChat(tx: Tx, sessionId: string): number {
  return cancelAll(tx, "chat_session_id", sessionId);
}

function cancelAll(tx: Tx, column: "issue_id" | "agent_id" | "runtime_id" | "chat_session_id", id: string): number {
  const open = all<{ id: string }>(
    tx.db,
    // Waiting rows first: otherwise ending a dispatched one would promote its follow-up for nothing.
    `SELECT id FROM task WHERE ${column} = :id AND status IN (${sqlStates(OPEN_STATES)})
     ORDER BY status NOT IN ('queued', 'deferred'), created_at`,
    { id },
  );
  return open.filter(({ id: taskId }) => {
    const cancelled = cancelRow(tx, taskId);
    if (cancelled !== undefined) cancelTurn(tx, cancelled, "keep", false);
    return cancelled !== undefined;
  }).length;
}
