import type { Actor } from "../../context.ts";
import { all, one, run } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import type { IssueRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { notifySubscribers } from "../inbox.ts";
import { settleTurn } from "../chat/cancelled.ts";
import { afterEnd } from "./aftermath.ts";
import { storedReason } from "./classify.ts";
import { commentText } from "./final-text.ts";
import { type RunFacts, existingComment, factColumns } from "./report.ts";
import { releaseWaiting } from "./follow-ups.ts";
import { postSystemComment } from "./issue-triggers.ts";
import { retryFailed } from "./retry-task.ts";
import { HELD_STATES, OPEN_STATES, sqlStates } from "./states.ts";
import { endTask, findTask } from "./store.ts";

export interface FailureReport extends RunFacts {
  readonly error: string;
  readonly failure_reason?: string | null | undefined;
}

/** Who found the failure: only the server's own findings put an issue back to `todo` (server-api.md 11.5). */
export type FoundBy = "daemon" | "platform";

/**
 * A held task → `failed`, with retry or system comment in the same transaction. In any other state the row is answered
 * unchanged (server-api.md 6.9).
 */
export function failTask(tx: Tx, taskId: string, report: FailureReport): TaskRow {
  const task = findTask(tx.db, taskId);
  if (task === undefined) throw notFound("task");
  const reason = storedReason((report.failure_reason ?? "").trim(), report.error);
  const set = { ...factColumns(task, report), error: report.error, failure_reason: reason };
  const failed = endTask(tx, taskId, { to: "failed", from: HELD_STATES, set });
  if (failed === undefined) {
    settleTurn(tx, taskId);
    return task;
  }
  afterFailure(tx, failed, "daemon");
  return failed;
}

/** Fails a task that the server itself has given up. Undefined when it was no longer in one of the states. */
export function failByServer(
  tx: Tx,
  taskId: string,
  failure: { readonly reason: string; readonly error: string; readonly from: readonly TaskRow["status"][] },
): { readonly failed: TaskRow; readonly retry: TaskRow | undefined } | undefined {
  const set = { error: failure.error, failure_reason: failure.reason };
  const failed = endTask(tx, taskId, { to: "failed", from: failure.from, set });
  if (failed === undefined) return undefined;
  return { failed, retry: afterFailure(tx, failed, "platform") };
}

/** What follows every failure: a retry, or else word on the issue; then whatever waited behind the task. */
export function afterFailure(tx: Tx, failed: TaskRow, foundBy: FoundBy): TaskRow | undefined {
  const retry = retryFailed(tx, failed);
  if (retry === undefined) {
    reportOnIssue(tx, failed);
    afterEnd(tx, failed);
    if (foundBy === "platform") resetIssue(tx, failed);
  }
  releaseWaiting(tx, failed);
  return retry;
}

/** Fails everything a restarted daemon can no longer know about (server-api.md 6.12). */
export function recoverOrphans(tx: Tx, runtimeId: string): { orphaned: number; retried: number } {
  const held = all<{ id: string }>(
    tx.db,
    `SELECT id FROM task WHERE runtime_id = :runtimeId AND status IN (${sqlStates(HELD_STATES)}) ORDER BY created_at, rowid`,
    { runtimeId },
  );
  let orphaned = 0;
  let retried = 0;
  for (const { id } of held) {
    const error = "daemon restarted while task was in flight";
    const outcome = failByServer(tx, id, { reason: "runtime_recovery", error, from: HELD_STATES });
    if (outcome === undefined) continue;
    orphaned += 1;
    if (outcome.retry !== undefined) retried += 1;
  }
  return { orphaned, retried };
}

function reportOnIssue(tx: Tx, failed: TaskRow): void {
  const issue = issueOf(tx, failed);
  if (issue === undefined) return;
  const text = commentText(failed.error ?? "") || "no details";
  const agent: Actor = { type: "agent", userId: failed.originator_user_id ?? "", agentId: failed.agent_id, taskId: failed.id };
  const details = { task_id: failed.id, failure_reason: failed.failure_reason };
  notifySubscribers(tx, issue, { type: "task_failed", severity: "attention", actor: agent, body: text, details });
  postSystemComment(tx, issue, `The run failed (${failed.failure_reason ?? "unknown"}): ${text}`, existingComment(tx, failed.trigger_comment_id));
}

/** An issue nobody works on any more must not look as if somebody did (server-api.md 11.5). */
function resetIssue(tx: Tx, failed: TaskRow): void {
  const issue = issueOf(tx, failed);
  if (issue?.status !== "in_progress") return;
  const open = one(tx.db, `SELECT id FROM task WHERE issue_id = :id AND status IN (${sqlStates(OPEN_STATES)}) LIMIT 1`, { id: issue.id });
  if (open !== undefined) return;
  run(
    tx.db,
    `UPDATE issue SET status = 'todo', revision = revision + 1, updated_at = :now, last_activity_at = :now
     WHERE id = :id AND status = 'in_progress'`,
    { id: issue.id, now: tx.now },
  );
}

function issueOf(tx: Tx, task: TaskRow): IssueRow | undefined {
  if (task.issue_id === null) return undefined;
  return one<IssueRow>(tx.db, "SELECT * FROM issue WHERE id = :id", { id: task.issue_id });
}
