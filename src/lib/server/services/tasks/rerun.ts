import type { Actor } from "../../context.ts";
import { all, update } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import type { IssueRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { type RunTarget, assignedTarget } from "./assignee.ts";
import { cancelRow } from "./cancel.ts";
import { type BlockedReason, enqueue } from "./queue.ts";
import { safeSession } from "./resume-lookup.ts";
import { findTask } from "./store.ts";

const REFUSALS: Readonly<Record<BlockedReason, string>> = {
  target_unavailable: "the agent is archived or does not exist",
  agent_runtime_required: "the agent has no runtime",
  invocation_not_allowed: "you may not run this agent",
  self_trigger_suppressed: "an agent cannot rerun the issue it is working on",
  already_active: "a run of this agent is being handed out",
};

/**
 * A new run of an issue. Pending runs of the same agent on it are cancelled; one that is running goes on and the new
 * one waits for it. With `taskId` that run's directory is taken up again, and its session when it is safe to continue;
 * without, the session starts fresh (server-api.md 11.8). 400 with the reason when nothing can be run.
 */
export function rerunIssue(tx: Tx, issue: IssueRow, actor: Actor, options: { readonly taskId?: string } = {}): TaskRow {
  const source = options.taskId === undefined ? undefined : sourceTask(tx, issue, options.taskId);
  const target = source === undefined ? assigned(tx, issue) : targetOf(source);
  const { agentId } = target;
  cancelPending(tx, issue.id, agentId);
  const trigger = source?.trigger_comment_id ?? undefined;
  const outcome = enqueue(tx, { issue, ...target, actor, ...(trigger === undefined ? {} : { trigger }) });
  if (outcome.kind === "blocked") throw badRequest(`cannot rerun: ${REFUSALS[outcome.reason]}`);
  update(tx.db, "task", outcome.task.id, { force_fresh_session: 1, ...continued(tx, source, outcome.task) });
  return findTask(tx.db, outcome.task.id) ?? outcome.task;
}

/** What waits first: otherwise ending a dispatched task would promote its follow-up for nothing. */
function cancelPending(tx: Tx, issueId: string, agentId: string): void {
  const sql = `SELECT id FROM task WHERE issue_id = :issueId AND agent_id = :agentId AND status IN ('deferred', 'queued', 'dispatched')
    ORDER BY status = 'dispatched', created_at, rowid`;
  for (const { id } of all<{ id: string }>(tx.db, sql, { issueId, agentId })) cancelRow(tx, id);
}

function continued(tx: Tx, source: TaskRow | undefined, next: TaskRow) {
  if (source === undefined) return {};
  const base = { rerun_of_task_id: source.id, work_dir: source.work_dir, coalesced_comment_ids: source.coalesced_comment_ids };
  const session = safeSession(tx.db, source, next.runtime_id);
  return session === null ? base : { ...base, force_fresh_session: 0, session_id: session, session_runtime_id: next.runtime_id };
}

function sourceTask(tx: Tx, issue: IssueRow, taskId: string): TaskRow {
  const task = findTask(tx.db, taskId);
  if (task === undefined || task.issue_id !== issue.id) throw notFound("task");
  return task;
}

function targetOf(source: TaskRow): RunTarget {
  return { agentId: source.agent_id, ...(source.squad_id === null || source.is_leader_task === 0 ? {} : { squadId: source.squad_id }) };
}

function assigned(tx: Tx, issue: IssueRow): RunTarget {
  const target = assignedTarget(tx, issue);
  if (target === undefined) throw badRequest("cannot rerun: the issue has no agent assigned");
  return target;
}
