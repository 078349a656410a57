import { ISSUE_STATUSES, type IssueInput, PRIORITIES } from "../../wire/index.ts";
import { isUuid } from "../../core/index.ts";
import type { Actor } from "../context.ts";
import { all, one } from "../db/query.ts";
import { HttpError, badRequest } from "../http-error.ts";
import type { AgentRow, IssueRow, SquadRow, WorkspaceRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { findIssue } from "./issues.ts";
import { mayInvoke, originatorOf } from "./tasks/permission.ts";

type IssueColumns = Record<string, string | number | null>;

/** Checks the fields of a create or update that stand for themselves; returns the columns they set (server-api.md 13.3.3). */
export function plainColumns(input: IssueInput): IssueColumns {
  const columns: IssueColumns = {};
  if (input.title !== undefined) {
    columns["title"] = input.title.trim();
    if (columns["title"] === "") throw badRequest("title is required");
  }
  if (input.description !== undefined) columns["description"] = input.description;
  if (input.status !== undefined) columns["status"] = oneOf("status", input.status, ISSUE_STATUSES);
  if (input.priority !== undefined) columns["priority"] = oneOf("priority", input.priority, PRIORITIES);
  if (input.position !== undefined) columns["position"] = input.position;
  if (input.stage !== undefined) {
    if (input.stage !== null && input.stage < 1) throw badRequest("stage must be >= 1");
    columns["stage"] = input.stage;
  }
  for (const key of ["start_date", "due_date"] as const) {
    const value = input[key];
    if (value !== undefined) columns[key] = dateColumn(key, value);
  }
  return columns;
}

/** Assignee, parent and project: they refer to other rows. `current` is the issue that is updated. */
export function referenceColumns(tx: Tx, workspace: WorkspaceRow, actor: Actor, input: IssueInput, current?: IssueRow): IssueColumns {
  const columns = assigneeColumns(tx, workspace, actor, input, current);
  if (input.project_id !== undefined) {
    columns["project_id"] = projectColumn(tx, workspace.id, input.project_id);
  }
  if (input.parent_issue_id !== undefined) {
    columns["parent_issue_id"] =
      input.parent_issue_id === null || input.parent_issue_id === "" ? null : parentId(tx, workspace, input.parent_issue_id, current);
  }
  return columns;
}

/** The ids of labels of this workspace; 400 when one is not. */
export function checkedLabels(tx: Tx, workspaceId: string, ids: readonly string[]): string[] {
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))];
  const sql = "SELECT id FROM label WHERE workspace_id = :workspaceId AND id IN (SELECT value FROM json_each(:ids))";
  const found = all<{ id: string }>(tx.db, sql, { workspaceId, ids: JSON.stringify(wanted) });
  if (found.length !== wanted.length) throw badRequest("one or more labels not found in this workspace");
  return wanted;
}

/** The value when it is one of the valid ones, else 400 in the form clients know. */
export function oneOf(field: string, value: string, valid: readonly string[]): string {
  if (valid.includes(value)) return value;
  throw badRequest(`invalid ${field} ${JSON.stringify(value)}; valid values: ${valid.join(", ")}`);
}

/** A day as it is stored; null and the empty text clear. */
export function dateColumn(field: string, value: string | null | undefined): string | null {
  if (value === null || value === undefined || value === "") return null;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : NaN;
  // 2026-02-30 parses as a day in March: only what reads back the same is a date.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== value) {
    throw badRequest(`invalid ${field} format, expected YYYY-MM-DD`);
  }
  return value;
}

function assigneeColumns(tx: Tx, workspace: WorkspaceRow, actor: Actor, input: IssueInput, current?: IssueRow): IssueColumns {
  const { assignee_type: type, assignee_id: id } = input;
  if (type === undefined && id === undefined) return {};
  if (type === null || id === null) {
    if (typeof type === "string" || typeof id === "string") throw badRequest("assignee_type and assignee_id must be provided together");
    return { assignee_type: null, assignee_id: null };
  }
  if (type === undefined || id === undefined) throw badRequest("assignee_type and assignee_id must be provided together");
  const wanted = id.toLowerCase();
  switch (type) {
    case "member":
      requireMember(tx, workspace.id, wanted);
      break;
    case "agent":
      if (current?.assignee_type !== "agent" || current.assignee_id !== wanted) requireAssignable(tx, workspace.id, actor, wanted);
      break;
    case "squad":
      if (current?.assignee_type !== "squad" || current.assignee_id !== wanted) requireAssignableSquad(tx, workspace.id, actor, wanted);
      break;
    default:
      throw badRequest(`invalid assignee_type ${JSON.stringify(type)}; valid values: member, agent, squad`);
  }
  return { assignee_type: type, assignee_id: wanted };
}

/** 400 unless the user is a member of the workspace; `field` is what the message names. */
export function requireMember(tx: Tx, workspaceId: string, userId: string, field = "assignee_id"): void {
  const sql = "SELECT 1 FROM member WHERE workspace_id = :workspaceId AND user_id = :userId";
  if (one(tx.db, sql, { workspaceId, userId }) === undefined) {
    throw badRequest(`${field} does not refer to a member of this workspace`);
  }
}

function requireAssignable(tx: Tx, workspaceId: string, actor: Actor, agentId: string): void {
  const sql = "SELECT * FROM agent WHERE id = :agentId AND workspace_id = :workspaceId";
  const agent = one<AgentRow>(tx.db, sql, { agentId, workspaceId });
  if (agent === undefined) throw badRequest("assignee_id does not refer to an agent of this workspace");
  if (agent.archived_at !== null) throw badRequest("cannot assign to archived agent");
  if (!mayInvoke(agent, originatorOf(tx.db, actor))) {
    throw new HttpError(403, "you do not have permission to assign work to this agent");
  }
}

/** The id of a project of this workspace; null and the empty text mean none. */
export function projectColumn(tx: Tx, workspaceId: string, id: string | null | undefined): string | null {
  if (id === null || id === undefined || id === "") return null;
  const params = { id: id.toLowerCase(), workspaceId };
  if (one(tx.db, "SELECT 1 FROM project WHERE id = :id AND workspace_id = :workspaceId", params) === undefined) {
    throw badRequest("project not found in this workspace");
  }
  return params.id;
}

function requireAssignableSquad(tx: Tx, workspaceId: string, actor: Actor, squadId: string): void {
  const squad = one<SquadRow>(tx.db, "SELECT * FROM squad WHERE id = :squadId AND workspace_id = :workspaceId", { squadId, workspaceId });
  if (squad === undefined) throw badRequest("assignee_id does not refer to a squad in this workspace");
  if (squad.archived_at !== null) throw badRequest("cannot assign to an archived squad");
  const leader = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id", { id: squad.leader_id });
  if (leader === undefined || leader.archived_at !== null) throw badRequest("squad leader is archived; cannot assign to this squad");
  if (!mayInvoke(leader, originatorOf(tx.db, actor))) {
    throw new HttpError(403, "you do not have permission to assign work to this squad");
  }
}

function parentId(tx: Tx, workspace: WorkspaceRow, ref: string, current: IssueRow | undefined): string {
  const parent = findIssue(tx.db, workspace, isUuid(ref) ? ref.toLowerCase() : ref);
  if (parent === undefined) throw badRequest("parent issue not found in this workspace");
  if (current === undefined) return parent.id;
  if (parent.id === current.id) throw badRequest("an issue cannot be its own parent");
  const loop = one(
    tx.db,
    `WITH RECURSIVE up(id, parent) AS (
       SELECT id, parent_issue_id FROM issue WHERE id = :parentId
       UNION SELECT i.id, i.parent_issue_id FROM issue i JOIN up ON i.id = up.parent)
     SELECT 1 FROM up WHERE id = :currentId`,
    { parentId: parent.id, currentId: current.id },
  );
  if (loop !== undefined) throw badRequest("circular parent relationship detected");
  return parent.id;
}
