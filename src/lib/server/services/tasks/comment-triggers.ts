import type { Actor } from "../../context.ts";
import { all, update } from "../../db/query.ts";
import { type CommentRow, type IssueRow, type TaskRow, stringsColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { activeSquad } from "../squads/leading.ts";
import type { RunTarget } from "./assignee.ts";
import { cancelRow } from "./cancel.ts";
import { standBy } from "./escalation.ts";
import { enqueue, loadComment, triggerColumns } from "./queue.ts";
import { type RoutedComment, parseMentions, routeComment } from "./routing.ts";

/** One entry of a comment's `trigger_outcomes` (server-api.md 13.5.3). */
export interface TriggerOutcome {
  readonly target_type: "agent";
  readonly target_id: string;
  readonly status: "queued" | "coalesced" | "deferred" | "blocked";
  readonly reason_code: string;
}

export interface CommentOptions {
  readonly suppressAgentIds?: readonly string[];
}

/** Starts the agents a new comment is for. A trigger that is blocked is an outcome, never an error. */
export function onCommentCreated(tx: Tx, issue: IssueRow, comment: CommentRow, actor: Actor, options: CommentOptions = {}): TriggerOutcome[] {
  const suppressed = new Set(options.suppressAgentIds ?? []);
  const woken: TaskRow[] = [];
  const outcomes = routedTargets(tx, issue, comment)
    .filter(({ agentId }) => !suppressed.has(agentId))
    .map((target): TriggerOutcome => {
      const { agentId } = target;
      const outcome = enqueue(tx, { issue, ...target, actor, trigger: comment.id });
      if (outcome.kind !== "blocked") woken.push(outcome.task);
      const [status, reason] = outcome.kind === "blocked" ? (["blocked", outcome.reason] as const) : ([outcome.kind, outcome.kind] as const);
      return { target_type: "agent", target_id: agentId, status, reason_code: reason };
    });
  const [first] = woken;
  if (first !== undefined && woken.length === 1 && isPlainReply(comment)) standBy(tx, { issue, comment, actor, woken: first, suppressed });
  return outcomes;
}

/** Kinds of mentions that decide by themselves who is woken. */
const NAMING: ReadonlySet<string> = new Set(["agent", "squad", "member", "all"]);

/** A person's answer in a thread that names nobody: the thread decides whom it wakes, not the issue. */
function isPlainReply(comment: CommentRow): boolean {
  const named = parseMentions(comment.content).some(({ kind }) => NAMING.has(kind));
  return comment.author_type === "member" && comment.parent_id !== null && !named;
}

/** The agents a comment is for, before permission is looked at. */
function routedTargets(tx: Tx, issue: IssueRow, comment: CommentRow): RunTarget[] {
  const parent = comment.parent_id === null ? null : (loadComment(tx, comment.parent_id) ?? null);
  const thread = parent === null ? [] : threadOf(tx, parent.id).filter((one) => one.id !== comment.id);
  const squadLeaders = leadersOf(tx, issue, [comment, ...thread.slice(0, 1)]);
  const agents = routeComment({
    comment: routed(comment),
    parent: parent === null ? null : routed(parent),
    thread: thread.map(routed),
    assigneeType: issue.assignee_type,
    assigneeId: issue.assignee_id,
    squadLeaders,
  });
  return agents.map((agentId) => {
    const squadId = [...squadLeaders].find(([, leader]) => leader === agentId)?.[0];
    return { agentId, ...(squadId === undefined ? {} : { squadId }) };
  });
}

/** The issue's squad first: an agent that leads several is woken for the one the issue belongs to. */
function leadersOf(tx: Tx, issue: IssueRow, comments: readonly CommentRow[]): ReadonlyMap<string, string> {
  const mentioned = comments.flatMap((one) => parseMentions(one.content)).filter((mention) => mention.kind === "squad");
  const ids = [...(issue.assignee_type === "squad" ? [issue.assignee_id ?? ""] : []), ...mentioned.map((mention) => mention.id.toLowerCase())];
  const leaders = new Map<string, string>();
  for (const id of ids) {
    const squad = activeSquad(tx.db, issue.workspace_id, id);
    if (squad !== undefined) leaders.set(id, squad.leader_id);
  }
  return leaders;
}

/**
 * Takes an edited or deleted comment out of the runs that have not begun: they are cancelled, or go on with the other
 * comments they answer for. An edit of a comment that was taken out is routed again (server-api.md 13.5.2).
 * To be called after the row was changed, and before a deleted one is gone.
 */
export function onCommentChanged(tx: Tx, issue: IssueRow, comment: CommentRow, change: "edited" | "deleted", actor: Actor): void {
  const affected = all<TaskRow>(
    tx.db,
    `SELECT * FROM task WHERE issue_id = :issueId AND started_at IS NULL AND status IN ('queued', 'deferred', 'dispatched')
       AND (trigger_comment_id = :id OR EXISTS (SELECT 1 FROM json_each(coalesced_comment_ids) WHERE value = :id))`,
    { issueId: issue.id, id: comment.id },
  );
  for (const task of affected) withdraw(tx, task, comment.id);
  if (change === "edited" && affected.length > 0) onCommentCreated(tx, issue, comment, actor);
}

function withdraw(tx: Tx, task: TaskRow, commentId: string): void {
  const rest = stringsColumn(task.coalesced_comment_ids).filter((id) => id !== commentId);
  const trigger = task.trigger_comment_id === commentId ? rest.pop() : task.trigger_comment_id;
  if (trigger === undefined || trigger === null) {
    cancelRow(tx, task.id);
    return;
  }
  update(tx.db, "task", task.id, {
    coalesced_comment_ids: JSON.stringify(rest),
    ...triggerColumns(loadComment(tx, trigger)),
    updated_at: tx.now,
  });
}

/** The whole thread a comment stands in, root first. */
function threadOf(tx: Tx, commentId: string): CommentRow[] {
  return all<CommentRow>(
    tx.db,
    `WITH RECURSIVE
       up(id, parent_id) AS (
         SELECT id, parent_id FROM comment WHERE id = :commentId
         UNION ALL SELECT c.id, c.parent_id FROM comment c JOIN up ON c.id = up.parent_id),
       down(id) AS (
         SELECT id FROM up WHERE parent_id IS NULL
         UNION ALL SELECT c.id FROM comment c JOIN down ON c.parent_id = down.id)
     SELECT c.* FROM comment c JOIN down USING (id) ORDER BY c.parent_id IS NOT NULL, c.created_at, c.rowid`,
    { commentId },
  );
}

function routed(comment: CommentRow): RoutedComment {
  return { authorType: comment.author_type, authorId: comment.author_id, content: comment.content };
}
