import type { SqlParams } from "../../../platform/index.ts";
import { one, run, update } from "../../db/query.ts";
import { type AgentRow, type TaskRow, stringsColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { moveMessages } from "../chat/outcome.ts";
import { insertTask, pendingOf } from "./queue.ts";
import { decideRetry } from "./retry.ts";
import { findTask } from "./store.ts";

const CHAT_RETRY_PRIORITY = 3;

/**
 * The child that tries a failed task again, or undefined when the rules say no. A follow-up that waits for the same
 * agent and issue takes the child's place: it gets the failed run's comments, attempt and session, so that nothing is
 * answered twice (server-api.md 11.6; one pending row a pair, 11.2).
 */
export function retryFailed(tx: Tx, failed: TaskRow): TaskRow | undefined {
  const agent = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id", { id: failed.agent_id });
  const decision = decideRetry({
    reason: failed.failure_reason ?? "",
    attempt: failed.attempt,
    maxAttempts: failed.max_attempts,
    issueId: failed.issue_id,
    chatSessionId: failed.chat_session_id,
    autopilotRunId: failed.autopilot_run_id,
    agentRuntimeId: agent?.runtime_id ?? null,
    agentArchived: agent === undefined || agent.archived_at !== null,
  });
  if (decision.kind === "none") return undefined;
  const retry = place(tx, failed, decision);
  run(tx.db, "UPDATE task SET escalates_task_id = :to WHERE escalates_task_id = :from AND status = 'deferred'", { from: failed.id, to: retry.id });
  return retry;
}

type Retry = { readonly attempt: number; readonly fresh: boolean; readonly delayMs: number };

function place(tx: Tx, failed: TaskRow, retry: Retry): TaskRow {
  const pair = failed.issue_id === null ? undefined : { issue: { id: failed.issue_id }, agentId: failed.agent_id };
  const later = retry.delayMs > 0;
  // A follow-up that is queued goes at once: a person asked for it.
  const waiting = pair === undefined ? undefined : (pendingOf(tx, pair, "queued") ?? (later ? pendingOf(tx, pair, "deferred") : undefined));
  if (waiting !== undefined) return takeOver(tx, waiting, failed, retry);
  const fireAt = later ? tx.now + retry.delayMs : null;
  const child = insertTask(tx, { ...copied(failed), ...inherited(failed, retry), status: later ? "deferred" : "queued", fire_at: fireAt });
  if (failed.chat_session_id !== null) moveMessages(tx, failed, child);
  return child;
}

function copied(failed: TaskRow): SqlParams {
  return {
    agent_id: failed.agent_id,
    runtime_id: failed.runtime_id,
    workspace_id: failed.workspace_id,
    issue_id: failed.issue_id,
    chat_session_id: failed.chat_session_id,
    // Who waits in a conversation waits for this answer first.
    priority: failed.chat_session_id === null ? failed.priority : Math.max(failed.priority, CHAT_RETRY_PRIORITY),
    trigger_comment_id: failed.trigger_comment_id,
    coalesced_comment_ids: failed.coalesced_comment_ids,
    trigger_summary: failed.trigger_summary,
    context: failed.context,
    is_leader_task: failed.is_leader_task,
    squad_id: failed.squad_id,
    originator_user_id: failed.originator_user_id,
    initiator_type: failed.initiator_type,
    initiator_id: failed.initiator_id,
    max_attempts: failed.max_attempts,
    rerun_of_task_id: failed.rerun_of_task_id,
  };
}

/** The directory goes on to the child even when the session must not: work that is not committed lies there. */
function inherited(failed: TaskRow, retry: Retry): SqlParams {
  const session = retry.fresh || failed.session_missing === 1 ? null : failed.session_id;
  return {
    attempt: retry.attempt,
    parent_task_id: failed.id,
    force_fresh_session: retry.fresh ? 1 : failed.force_fresh_session,
    session_id: session,
    session_runtime_id: session === null ? null : failed.session_runtime_id,
    work_dir: failed.work_dir,
  };
}

function takeOver(tx: Tx, waiting: TaskRow, failed: TaskRow, retry: Retry): TaskRow {
  const earlier = [...stringsColumn(failed.coalesced_comment_ids), failed.trigger_comment_id, ...stringsColumn(waiting.coalesced_comment_ids)];
  const merged = [...new Set(earlier)].filter((id) => id !== null && id !== waiting.trigger_comment_id);
  update(tx.db, "task", waiting.id, {
    ...inherited(failed, { ...retry, attempt: Math.max(retry.attempt, waiting.attempt) }),
    coalesced_comment_ids: JSON.stringify(merged),
    updated_at: tx.now,
    ...(waiting.status === "deferred" ? { fire_at: tx.now + retry.delayMs } : {}),
  });
  if (waiting.status === "deferred") tx.emit({ type: "task_deferred", runtimeId: waiting.runtime_id, fireAt: tx.now + retry.delayMs });
  return findTask(tx.db, waiting.id) ?? waiting;
}
