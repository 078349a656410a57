import { isObject } from "../../../core/index.ts";
import type { Actor } from "../../context.ts";
import { all, one } from "../../db/query.ts";
import { type CommentRow, type IssueRow, type TaskRow, type WorkspaceRow, objectColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { type RunTarget, assignedTarget } from "./assignee.ts";
import { cancelRow } from "./cancel.ts";
import { enqueueLater } from "./queue.ts";

const DEFAULT_SECONDS = 300;
/** A setting beyond a day says nothing about who should look at a comment. */
const MAX_SECONDS = 86_400;

/**
 * When a reply woke one agent and the issue is another's, that other stands by: a deferred task for it, which is dropped
 * as soon as the first agent begins (server-api.md 13.5.3). The assignee is woken under the same gates as by a comment.
 */
export function standBy(tx: Tx, facts: { readonly issue: IssueRow; readonly comment: CommentRow; readonly actor: Actor; readonly woken: TaskRow; readonly suppressed: ReadonlySet<string> }): TaskRow | undefined {
  const { issue, comment, actor, woken } = facts;
  const target: RunTarget | undefined = assignedTarget(tx, issue);
  if (target === undefined || target.agentId === woken.agent_id || facts.suppressed.has(target.agentId)) return undefined;
  // It has begun already: there is nothing to stand by for.
  if (woken.started_at !== null) return undefined;
  const seconds = escalationSeconds(tx, issue.workspace_id);
  if (seconds <= 0) return undefined;
  const outcome = enqueueLater(tx, { issue, ...target, actor, trigger: comment.id }, { escalates: woken.id, fireAt: tx.now + seconds * 1000 });
  return outcome.kind === "blocked" ? undefined : outcome.task;
}

/** The first agent has begun: nobody needs to stand by any more (server-api.md 6.2). */
export function dismiss(tx: Tx, startedId: string): void {
  const sql = "SELECT id FROM task WHERE escalates_task_id = :startedId AND status = 'deferred'";
  for (const { id } of all<{ id: string }>(tx.db, sql, { startedId })) cancelRow(tx, id);
}

/** The workspace's `comment_routing.escalation_seconds`; 0 or less means never. */
function escalationSeconds(tx: Tx, workspaceId: string): number {
  const workspace = one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :workspaceId", { workspaceId });
  const routing = objectColumn(workspace?.settings ?? "{}")["comment_routing"];
  const value = isObject(routing) ? routing["escalation_seconds"] : undefined;
  return typeof value === "number" && Number.isFinite(value) ? Math.min(value, MAX_SECONDS) : DEFAULT_SECONDS;
}
