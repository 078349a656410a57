import { giveUpReason } from "../../../core/index.ts";
import { insert, one } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import type { Actor } from "../../context.ts";
import type { IssueRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { declinedToAct } from "../squads/leading.ts";
import { notifySubscribers } from "../inbox.ts";
import { onCommentCreated } from "./comment-triggers.ts";
import { settleTurn } from "../chat/cancelled.ts";
import { afterEnd } from "./aftermath.ts";
import { afterFailure } from "./fail.ts";
import { releaseWaiting } from "./follow-ups.ts";
import { commentText } from "./final-text.ts";
import { type RunFacts, existingComment, factColumns } from "./report.ts";
import { loadComment } from "./queue.ts";
import { endTask, findTask } from "./store.ts";

export interface Completion extends RunFacts {
  readonly output: string;
  readonly pr_url?: string | null | undefined;
}

/**
 * `running` → `completed` with its effects: tokens gone, a comment when the agent wrote none, waiting runs woken.
 * In any other state the row is answered unchanged, which is what makes a repeated report safe (server-api.md 6.8).
 */
export function completeTask(tx: Tx, taskId: string, report: Completion): TaskRow {
  const task = findTask(tx.db, taskId);
  if (task === undefined) throw notFound("task");
  if (task.status !== "running") {
    // Too late to count, but the run is over: a cancelled conversation waits for nothing more.
    settleTurn(tx, taskId, report.output);
    return task;
  }
  const facts = factColumns(task, report);
  if (giveUpReason(report.output) === "agent_error.context_overflow") {
    const set = { ...facts, error: report.output.trim(), failure_reason: "agent_error.context_overflow" };
    const failed = endTask(tx, taskId, { to: "failed", from: ["running"], set });
    if (failed === undefined) return task;
    afterFailure(tx, failed, "daemon");
    return findTask(tx.db, taskId) ?? failed;
  }
  const result = JSON.stringify({ output: report.output, ...(report.pr_url ? { pr_url: report.pr_url } : {}) });
  const done = endTask(tx, taskId, { to: "completed", set: { ...facts, result } });
  if (done === undefined) return task;
  ensureComment(tx, done, report.output);
  afterEnd(tx, done);
  releaseWaiting(tx, done);
  return findTask(tx.db, taskId) ?? done;
}

/** A run that left no comment gets its final text as one, so that the people on the issue see what came of it. */
function ensureComment(tx: Tx, task: TaskRow, output: string): void {
  if (task.issue_id === null || output.trim() === "") return;
  if (task.trigger_comment_id !== null && isBareAcknowledgement(output)) return;
  if (declinedToAct(tx.db, task.issue_id, task.id)) return;
  const own = one(
    tx.db,
    `SELECT id FROM comment WHERE issue_id = :issueId AND author_type = 'agent' AND author_id = :agentId
       AND created_at >= :since LIMIT 1`,
    { issueId: task.issue_id, agentId: task.agent_id, since: task.started_at ?? task.created_at },
  );
  if (own !== undefined) return;
  const id = tx.newId();
  insert(tx.db, "comment", {
    id,
    issue_id: task.issue_id,
    workspace_id: task.workspace_id,
    author_type: "agent",
    author_id: task.agent_id,
    content: commentText(output),
    parent_id: existingComment(tx, task.trigger_comment_id),
    source_task_id: task.id,
    created_at: tx.now,
    updated_at: tx.now,
  });
  announce(tx, task, id);
}

/** People who follow the issue hear of the comment, and so does the leader of the squad the issue belongs to. */
function announce(tx: Tx, task: TaskRow, commentId: string): void {
  const issue = one<IssueRow>(tx.db, "SELECT * FROM issue WHERE id = :id", { id: task.issue_id });
  const comment = loadComment(tx, commentId);
  if (issue === undefined || comment === undefined) return;
  const actor: Actor = { type: "agent", userId: task.originator_user_id ?? "", agentId: task.agent_id, taskId: task.id };
  notifySubscribers(tx, issue, { type: "new_comment", actor, body: comment.content, details: { comment_id: commentId } });
  if (issue.assignee_type === "squad") onCommentCreated(tx, issue, comment, actor);
}

const ACKNOWLEDGEMENTS: ReadonlySet<string> = new Set(["done", "готово", "готова", "сделано", "完成", "完了"]);

/** True for an answer that says nothing but "done" (server-api.md 6.8). */
export function isBareAcknowledgement(output: string): boolean {
  return ACKNOWLEDGEMENTS.has(output.replace(/^[\s.!！。…]+|[\s.!！。…]+$/g, "").toLowerCase());
}
