import type { Actor } from "../context.ts";
import { all, insert, one, run } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import { type CommentRow, type IssueRow, type TaskRow, stringsColumn } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { linkAttachments } from "./attachments/attachments.ts";
import { declinedToAct } from "./squads/leading.ts";
import { notify, notifySubscribers } from "./inbox.ts";
import { actorId } from "./actor.ts";
import { subscribe } from "./issues.ts";
import { type TriggerOutcome, onCommentChanged, onCommentCreated } from "./tasks/enqueue.ts";
import { parseMentions } from "./tasks/routing.ts";

interface NewComment {
  readonly content: string;
  readonly type?: string | undefined;
  readonly parent_id?: string | null | undefined;
  readonly attachment_ids?: readonly string[] | undefined;
  readonly suppress_agent_ids?: readonly string[] | undefined;
}

/** Writes a comment and starts whom it is for (server-api.md 13.5.2, 13.5.3). Throws 400, and 409 for the thread rule. */
export function createComment(tx: Tx, scope: Scope, issue: IssueRow, input: NewComment): { row: CommentRow; outcomes: TriggerOutcome[] } {
  const { actor } = scope;
  if (input.content.trim() === "") throw badRequest("content is required");
  const type = input.type ?? "comment";
  if (type !== "comment" && type !== "progress_update") throw badRequest("type must be 'comment' or 'progress_update'");
  const parentId = checkedParent(tx, issue, input.parent_id ?? null);
  requireThread(tx, issue, actor, parentId);
  if (actor.taskId !== undefined && declinedToAct(tx.db, issue.id, actor.taskId)) {
    throw new HttpError(409, "squad leader recorded no_action; comments are not allowed for this task");
  }
  const id = tx.newId();
  insert(tx.db, "comment", {
    id,
    issue_id: issue.id,
    workspace_id: issue.workspace_id,
    author_type: actor.type,
    author_id: actorId(actor),
    content: input.content,
    type,
    parent_id: parentId,
    source_task_id: actor.taskId ?? null,
    created_at: tx.now,
    updated_at: tx.now,
  });
  linkAttachments(tx, scope, input.attachment_ids, { issue_id: issue.id, comment_id: id });
  subscribe(tx, issue.id, actor.type, actorId(actor), "commenter");
  run(tx.db, "UPDATE issue SET last_activity_at = :now WHERE id = :id", { now: tx.now, id: issue.id });
  const { comment } = loadComment(tx.db, scope, id);
  const outcomes = onCommentCreated(tx, issue, comment, actor, { suppressAgentIds: input.suppress_agent_ids ?? [] });
  tellPeople(tx, issue, comment, actor);
  return { row: comment, outcomes };
}

/** Whom a comment names hears that; who follows the issue hears of the comment. */
function tellPeople(tx: Tx, issue: IssueRow, comment: CommentRow, actor: Actor): void {
  const mentioned = [...new Set(parseMentions(comment.content).filter(({ kind }) => kind === "member").map(({ id }) => id.toLowerCase()))];
  const notice = { actor, body: comment.content, details: { comment_id: comment.id } };
  for (const userId of mentioned) {
    notify(tx, userId, { ...notice, workspaceId: issue.workspace_id, issueId: issue.id, title: issue.title, type: "mentioned", severity: "attention" });
  }
  notifySubscribers(tx, issue, { ...notice, type: "new_comment" }, mentioned);
}

/** New text for a comment; runs that it triggered and that have not begun follow it. */
export function editComment(tx: Tx, scope: Scope, id: string, input: Pick<NewComment, "content" | "attachment_ids">): CommentRow {
  const { content } = input;
  const { comment, issue } = loadComment(tx.db, scope, id);
  requireAuthor(scope, comment);
  if (content.trim() === "") throw badRequest("content is required");
  linkAttachments(tx, scope, input.attachment_ids, { issue_id: issue.id, comment_id: id });
  run(tx.db, "UPDATE comment SET content = :content, revision = revision + 1, updated_at = :now WHERE id = :id", {
    content,
    now: tx.now,
    id,
  });
  const after = loadComment(tx.db, scope, id).comment;
  if (content !== comment.content) onCommentChanged(tx, issue, after, "edited", scope.actor);
  return after;
}

/** Marks a comment's thread as settled, or as open again (server-api.md 13.5.2). Repeats change nothing. */
export function resolveComment(tx: Tx, scope: Scope, id: string, resolved: boolean): CommentRow {
  const { comment } = loadComment(tx.db, scope, id);
  if ((comment.resolved_at !== null) === resolved) return comment;
  run(
    tx.db,
    `UPDATE comment SET resolved_at = :at, resolved_by_type = :type, resolved_by_id = :by, revision = revision + 1, updated_at = :now
     WHERE id = :id`,
    {
      id,
      now: tx.now,
      at: resolved ? tx.now : null,
      type: resolved ? scope.actor.type : null,
      by: resolved ? actorId(scope.actor) : null,
    },
  );
  return loadComment(tx.db, scope, id).comment;
}

/** Deletes a comment with its replies. */
export function deleteComment(tx: Tx, scope: Scope, id: string): void {
  const { comment, issue } = loadComment(tx.db, scope, id);
  requireAuthor(scope, comment);
  const doomed = all<CommentRow>(
    tx.db,
    `WITH RECURSIVE down(id) AS (SELECT :id UNION SELECT c.id FROM comment c JOIN down ON c.parent_id = down.id)
     SELECT c.* FROM comment c JOIN down USING (id) ORDER BY c.created_at`,
    { id },
  );
  for (const row of doomed) onCommentChanged(tx, issue, row, "deleted", scope.actor);
  run(tx.db, "DELETE FROM comment WHERE id = :id", { id });
}

/** The comment and its issue within the workspace; 404 `comment not found`. */
function loadComment(db: Tx["db"], scope: Scope, id: string): { comment: CommentRow; issue: IssueRow } {
  const params = { id, workspaceId: scope.workspace.id };
  const comment = one<CommentRow>(db, "SELECT * FROM comment WHERE id = :id AND workspace_id = :workspaceId", params);
  const issue = comment && one<IssueRow>(db, "SELECT * FROM issue WHERE id = :id", { id: comment.issue_id });
  if (comment === undefined || issue === undefined) throw notFound("comment");
  return { comment, issue };
}

function requireAuthor(scope: Scope, comment: CommentRow): void {
  const { actor, role } = scope;
  const own = comment.author_type === actor.type && comment.author_id === actorId(actor);
  // The rank of the human behind an agent is not the agent's: it may change its own words only.
  if (!own && (actor.type === "agent" || role === "member")) throw new HttpError(403, "insufficient permissions");
}

function checkedParent(tx: Tx, issue: IssueRow, parentId: string | null): string | null {
  if (parentId === null || parentId === "") return null;
  const params = { id: parentId.toLowerCase(), issueId: issue.id };
  const parent = one<{ id: string }>(tx.db, "SELECT id FROM comment WHERE id = :id AND issue_id = :issueId", params);
  if (parent === undefined) throw badRequest("parent comment not found on this issue");
  return parent.id;
}

/** An agent that was started by a comment answers in that comment's thread: the asker reads there (server-api.md 13.5.2). */
function requireThread(tx: Tx, issue: IssueRow, actor: Actor, parentId: string | null): void {
  if (actor.type !== "agent" || actor.taskId === undefined) return;
  const task = one<TaskRow>(tx.db, "SELECT * FROM task WHERE id = :id", { id: actor.taskId });
  const trigger = task?.trigger_comment_id ?? null;
  if (task === undefined || task.issue_id !== issue.id || trigger === null) return;
  if (parentId !== null && [trigger, ...stringsColumn(task.coalesced_comment_ids)].includes(parentId)) return;
  // A trigger that was deleted meanwhile cannot be answered; the rule would make every comment impossible.
  if (one(tx.db, "SELECT 1 FROM comment WHERE id = :trigger", { trigger }) === undefined) return;
  throw new HttpError(409, `this task answers comment ${trigger}: set parent_id to ${trigger}`, { code: "parent_id_required" });
}
