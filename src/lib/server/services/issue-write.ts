import type { IssueInput } from "../../wire/index.ts";
import { all, insert, one, run, update } from "../db/query.ts";
import { HttpError, badRequest } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import { type IssueRow, type TaskRow, isQuickCreate, issueIdentifier, issueWire } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { linkAttachments } from "./attachments/attachments.ts";
import { checkedLabels, plainColumns, referenceColumns } from "./issue-input.ts";
import { notify, notifySubscribers } from "./inbox.ts";
import { actorId } from "./actor.ts";
import { loadIssue, recordActivity, subscribe } from "./issues.ts";
import { cancelTasksOfIssue, onIssueCreated, onIssueUpdated } from "./tasks/enqueue.ts";

/** Creates an issue and starts its assignee (server-api.md 13.3.3, 11.2). Throws 400, 403, 409 as listed there. */
export function createIssue(tx: Tx, scope: Scope, input: IssueInput): IssueRow {
  const { workspace, actor } = scope;
  const origin = originOf(tx, scope, input);
  const columns: Record<string, string | number | null> = {
    ...plainColumns({ ...input, title: input.title ?? "", status: input.status ?? "todo", priority: input.priority ?? "none" }),
    ...referenceColumns(tx, workspace, actor, input),
    ...(origin === undefined ? {} : { origin_type: "quick_create", origin_id: origin.id }),
  };
  const labels = checkedLabels(tx, workspace.id, input.label_ids ?? []);
  if (input.allow_duplicate !== true) refuseDuplicate(tx, scope, String(columns["title"]), columns);
  const id = tx.newId();
  insert(tx.db, "issue", {
    id,
    workspace_id: workspace.id,
    number: nextNumber(tx, workspace.id),
    creator_type: actor.type,
    creator_id: actorId(actor),
    position: nextPosition(tx, workspace.id),
    ...columns,
    last_activity_at: tx.now,
    created_at: tx.now,
    updated_at: tx.now,
  });
  for (const labelId of labels) insert(tx.db, "issue_label", { issue_id: id, label_id: labelId, created_at: tx.now });
  const issue = loadIssue(tx.db, workspace, id);
  linkAttachments(tx, scope, input.attachment_ids, { issue_id: id });
  subscribe(tx, id, actor.type, actorId(actor), "creator");
  if (origin !== undefined) subscribeRequester(tx, issue, origin);
  subscribeAssignee(tx, issue);
  recordActivity(tx, issue, actor, "created");
  if (issue.assignee_type === "member") tellAssignee(tx, scope, issue);
  onIssueCreated(tx, issue, actor, noteOf(input));
  return issue;
}

/** Partial update; a present null clears (server-api.md 13.3.4). Throws 409 when the caller's base is out of date. */
export function updateIssue(tx: Tx, scope: Scope, before: IssueRow, input: IssueInput): IssueRow {
  const { workspace, actor } = scope;
  refuseConflict(before, input);
  const columns = { ...plainColumns(input), ...referenceColumns(tx, workspace, actor, input, before) };
  linkAttachments(tx, scope, input.attachment_ids, { issue_id: before.id });
  const changed = Object.entries(columns).filter(([key, value]) => before[key as keyof IssueRow] !== value);
  if (changed.length === 0) return before;
  update(tx.db, "issue", before.id, {
    ...Object.fromEntries(changed),
    revision: before.revision + 1,
    last_activity_at: tx.now,
    updated_at: tx.now,
  });
  const after = loadIssue(tx.db, workspace, before.id);
  subscribeAssignee(tx, after);
  recordChanges(tx, scope, before, after);
  tellOfChanges(tx, scope, before, after);
  onIssueUpdated(tx, before, after, actor, { ...noteOf(input), ...(input.suppress_run === true ? { suppressRun: true } : {}) });
  return loadIssue(tx.db, workspace, before.id);
}

/** Cancels the issue's tasks, then deletes it with everything that hangs on it (server-api.md 11.2). */
export function deleteIssue(tx: Tx, issue: IssueRow): void {
  cancelTasksOfIssue(tx, issue.id);
  run(tx.db, "DELETE FROM issue WHERE id = :id", { id: issue.id });
}

function noteOf(input: IssueInput): { handoffNote?: string } {
  const note = input.handoff_note?.trim() ?? "";
  return note === "" ? {} : { handoffNote: note };
}

/** The quick create an issue comes from; an agent may name its own only. */
function originOf(tx: Tx, scope: Scope, input: IssueInput): TaskRow | undefined {
  const { origin_type: type, origin_id: id } = input;
  if (type === undefined && id === undefined) return undefined;
  if (type === undefined || id === undefined) throw badRequest("origin_type and origin_id must be provided together");
  if (type !== "quick_create") throw badRequest("unsupported origin_type");
  const task = one<TaskRow>(tx.db, "SELECT * FROM task WHERE id = :id", { id: id.toLowerCase() });
  const foreign = scope.actor.taskId !== undefined && scope.actor.taskId !== task?.id;
  if (task === undefined || task.workspace_id !== scope.workspace.id || !isQuickCreate(task) || foreign) {
    throw badRequest("origin_id does not refer to a quick-create task");
  }
  return task;
}

/** The person who asked for the issue follows it, though an agent wrote it. */
function subscribeRequester(tx: Tx, issue: IssueRow, origin: TaskRow): void {
  if (origin.originator_user_id !== null) subscribe(tx, issue.id, "member", origin.originator_user_id, "creator");
}

function nextNumber(tx: Tx, workspaceId: string): number {
  const sql = "UPDATE workspace SET next_issue_number = next_issue_number + 1 WHERE id = :workspaceId RETURNING next_issue_number - 1 AS number";
  return one<{ number: number }>(tx.db, sql, { workspaceId })?.number ?? 1;
}

function nextPosition(tx: Tx, workspaceId: string): number {
  const sql = "SELECT coalesce(max(position), 0) + 1 AS position FROM issue WHERE workspace_id = :workspaceId";
  return one<{ position: number }>(tx.db, sql, { workspaceId })?.position ?? 1;
}

/** Same title (case and blanks aside), same parent and project, still open: most likely the same issue a second time. */
function refuseDuplicate(tx: Tx, scope: Scope, title: string, columns: Readonly<Record<string, string | number | null>>): void {
  const { workspace } = scope;
  const open = all<IssueRow>(
    tx.db,
    `SELECT * FROM issue WHERE workspace_id = :workspaceId AND parent_issue_id IS :parentId AND project_id IS :projectId
       AND status NOT IN ('done', 'cancelled') ORDER BY number`,
    { workspaceId: workspace.id, parentId: columns["parent_issue_id"] ?? null, projectId: columns["project_id"] ?? null },
  );
  const same = open.find((issue) => folded(issue.title) === folded(title));
  if (same === undefined) return;
  const identifier = issueIdentifier(workspace.issue_prefix, same.number);
  throw new HttpError(409, `an active issue with this title already exists: ${identifier} "${same.title}" (${same.status})`, {
    code: "active_duplicate_issue",
    extra: { issue: issueWire(same, workspace.issue_prefix) },
  });
}

function folded(title: string): string {
  return title.trim().toLowerCase().replace(/\s+/g, " ");
}

function refuseConflict(issue: IssueRow, input: IssueInput): void {
  const resource = { resource_type: "issue", resource_id: issue.id };
  if (input.expected_revision !== undefined && input.expected_revision !== issue.revision) {
    throw new HttpError(409, "resource changed since it was loaded", {
      code: "revision_conflict",
      extra: { ...resource, expected_revision: input.expected_revision, actual_revision: issue.revision },
    });
  }
  for (const field of ["title", "description"] as const) {
    const base = input[`${field}_base`];
    if (typeof base !== "string" || input[field] === undefined || base === (issue[field] ?? "")) continue;
    throw new HttpError(409, "resource field changed since it was loaded", { code: "edit_conflict", extra: { ...resource, field } });
  }
}

function subscribeAssignee(tx: Tx, issue: IssueRow): void {
  const { assignee_type: type, assignee_id: id } = issue;
  if (id !== null && (type === "member" || type === "agent")) subscribe(tx, issue.id, type, id, "assignee");
}

function tellAssignee(tx: Tx, scope: Scope, issue: IssueRow): void {
  const { actor } = scope;
  notify(tx, issue.assignee_id, { workspaceId: issue.workspace_id, type: "issue_assigned", severity: "attention", issueId: issue.id, title: issue.title, actor });
}

function tellOfChanges(tx: Tx, scope: Scope, before: IssueRow, after: IssueRow): void {
  const assigned = after.assignee_type === "member" && after.assignee_id !== before.assignee_id;
  if (assigned) tellAssignee(tx, scope, after);
  if (after.status === before.status) return;
  const details = { from: before.status, to: after.status };
  notifySubscribers(tx, after, { type: "status_changed", actor: scope.actor, details }, assigned ? [after.assignee_id ?? ""] : []);
}

const WATCHED = ["title", "description", "status", "priority", "parent_issue_id", "project_id", "stage", "start_date", "due_date"] as const;

function recordChanges(tx: Tx, scope: Scope, before: IssueRow, after: IssueRow): void {
  for (const field of WATCHED) {
    if (before[field] === after[field]) continue;
    // A description is long and not a fact of its own: that it changed is enough.
    const details = field === "description" ? {} : { from: before[field], to: after[field] };
    recordActivity(tx, after, scope.actor, `${field.replace(/_id$|_issue_id$/, "")}_changed`, details);
  }
  if (before.assignee_id === after.assignee_id && before.assignee_type === after.assignee_type) return;
  recordActivity(tx, after, scope.actor, "assignee_changed", {
    from_type: before.assignee_type,
    from_id: before.assignee_id,
    to_type: after.assignee_type,
    to_id: after.assignee_id,
  });
}
