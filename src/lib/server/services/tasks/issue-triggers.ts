import type { Actor } from "../../context.ts";
import { all, insert, one } from "../../db/query.ts";
import { type AgentRow, type IssueRow, type TaskRow, type WorkspaceRow, isClosed, issueIdentifier } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { assignedTarget } from "./assignee.ts";
import { isRuntimeAlive } from "./health.ts";
import { enqueueForIssue, pendingOf } from "./queue.ts";

/** Author id of what the server itself writes. */
const SYSTEM_ID = "00000000-0000-0000-0000-000000000000";

/** A new issue that is not in the backlog starts its agent assignee (server-api.md 11.2). */
export function onIssueCreated(tx: Tx, issue: IssueRow, actor: Actor, options: { handoffNote?: string } = {}): TaskRow | null {
  if (issue.status === "backlog") return null;
  return assign(tx, issue, actor, options.handoffNote);
}

export interface UpdateOptions {
  readonly suppressRun?: boolean;
  readonly handoffNote?: string;
}

/** What a change of assignee or status starts (server-api.md 11.2, in its newer form: nothing is cancelled here). */
export function onIssueUpdated(tx: Tx, before: IssueRow, after: IssueRow, actor: Actor, options: UpdateOptions = {}): TaskRow | null {
  if (!isClosed(before.status) && isClosed(after.status)) onSubIssueClosed(tx, after, actor);
  if (options.suppressRun === true) return null;
  const reassigned = after.assignee_id !== before.assignee_id || after.assignee_type !== before.assignee_type;
  if (reassigned && after.status !== "backlog") return assign(tx, after, actor, options.handoffNote);
  const leftBacklog = before.status === "backlog" && after.status !== "backlog" && !isClosed(after.status);
  const target = leftBacklog ? assignedTarget(tx, after) : undefined;
  if (target === undefined) return null;
  const pair = { issue: after, agentId: target.agentId };
  if (pendingOf(tx, pair, "queued") !== undefined || pendingOf(tx, pair, "dispatched") !== undefined) return null;
  return startAssignee(tx, after, actor, options.handoffNote);
}

/** Writes a comment in the server's own name and returns its id. */
export function postSystemComment(tx: Tx, issue: IssueRow, content: string, parentId: string | null = null): string {
  const id = tx.newId();
  insert(tx.db, "comment", {
    id,
    issue_id: issue.id,
    workspace_id: issue.workspace_id,
    author_type: "system",
    author_id: SYSTEM_ID,
    content,
    parent_id: parentId,
    created_at: tx.now,
    updated_at: tx.now,
  });
  return id;
}

/** A squad is started only while its leader can begin; who assigned it is told, since nothing waits in a queue then. */
function assign(tx: Tx, issue: IssueRow, actor: Actor, handoffNote: string | undefined): TaskRow | null {
  const target = assignedTarget(tx, issue);
  if (target?.squadId !== undefined && !leaderIsReady(tx, target.agentId)) {
    postSystemComment(tx, issue, "The squad's leader is not online, so no run was started. Run the issue again when it is.");
    return null;
  }
  return startAssignee(tx, issue, actor, handoffNote);
}

/** An archived leader or one without a machine is refused with its reason further on. */
function leaderIsReady(tx: Tx, agentId: string): boolean {
  const agent = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :agentId", { agentId });
  return agent === undefined || agent.runtime_id === null || isRuntimeAlive(tx, agent.runtime_id);
}

function startAssignee(tx: Tx, issue: IssueRow, actor: Actor, handoffNote: string | undefined): TaskRow | null {
  const target = assignedTarget(tx, issue);
  if (target === undefined) return null;
  return enqueueForIssue(tx, {
    issue,
    ...target,
    actor,
    ...(handoffNote === undefined || handoffNote === "" ? {} : { handoffNote }),
  });
}

/** When the last open sub-issue of a stage closes, the parent hears of it and its agent is woken. */
function onSubIssueClosed(tx: Tx, issue: IssueRow, actor: Actor): void {
  if (issue.parent_issue_id === null) return;
  const parent = one<IssueRow>(tx.db, "SELECT * FROM issue WHERE id = :id", { id: issue.parent_issue_id });
  if (parent === undefined || isClosed(parent.status) || parent.status === "backlog" || parent.assignee_type === "member") return;
  const siblings = all<IssueRow>(tx.db, "SELECT * FROM issue WHERE parent_issue_id = :id ORDER BY number", { id: parent.id });
  const stage = siblings.filter((one) => inStage(one, issue.stage));
  if (!stage.every((one) => one.id === issue.id || isClosed(one.status))) return;
  const prefix = one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :id", { id: parent.workspace_id })?.issue_prefix ?? "";
  const names = stage.map((one) => issueIdentifier(prefix, one.number)).join(", ");
  const trigger = postSystemComment(tx, parent, `Every sub-issue of this stage is closed: ${names}.`);
  const target = assignedTarget(tx, parent);
  if (target !== undefined) enqueueForIssue(tx, { issue: parent, ...target, actor, trigger });
}

function inStage(sibling: IssueRow, stage: number | null): boolean {
  if (stage === null) return sibling.stage === null;
  return sibling.stage !== null && sibling.stage <= stage;
}
