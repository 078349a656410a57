import { isUuid } from "../../../core/index.ts";
import { AUTOPILOT_MODES, AUTOPILOT_STATUSES, type AutopilotInput, PRIORITIES } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type AgentRow, type AutopilotFacts, type AutopilotRow, autopilotWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { actorId } from "../actor.ts";
import { oneOf, projectColumn, requireMember } from "../issue-input.ts";
import { mayChange, requirePerson } from "../ownership.ts";
import { activeSquad } from "../squads/leading.ts";
import { mayInvoke } from "../tasks/permission.ts";
import { refreshTriggers } from "./triggers.ts";

type Columns = Record<string, string | null>;

/** Autopilots of the workspace, newest first (server-api.md 13.13). */
export function listAutopilots(db: Tx["db"], scope: Scope, status: string | null): object[] {
  const sql = `SELECT * FROM autopilot WHERE workspace_id = :workspaceId AND (:status IS NULL OR status = :status)
    ORDER BY created_at DESC, rowid DESC`;
  return all<AutopilotRow>(db, sql, { workspaceId: scope.workspace.id, status }).map((row) => present(db, scope, row));
}

/** The autopilot within its workspace; 404 `autopilot not found`. */
export function loadAutopilot(db: Tx["db"], workspaceId: string, id: string): AutopilotRow {
  const row = one<AutopilotRow>(db, "SELECT * FROM autopilot WHERE id = :id AND workspace_id = :workspaceId", { id, workspaceId });
  if (row === undefined) throw notFound("autopilot");
  return row;
}

export function showAutopilot(db: Tx["db"], scope: Scope, id: string): object {
  return present(db, scope, loadAutopilot(db, scope.workspace.id, id));
}

/** Creates an autopilot that runs with the rights of the person behind the caller. Returns its id. */
export function createAutopilot(tx: Tx, scope: Scope, input: AutopilotInput): string {
  const { workspace, actor } = scope;
  const id = tx.newId();
  if (input.assignee_id === undefined) throw badRequest("assignee_id is required");
  const owner = requirePerson(tx.db, scope);
  const columns = checked(tx, scope, owner, { ...input, title: input.title ?? "", execution_mode: input.execution_mode ?? "" });
  insert(tx.db, "autopilot", {
    id,
    workspace_id: workspace.id,
    created_by_type: actor.type,
    created_by_id: actorId(actor),
    owner_id: owner,
    ...columns,
    created_at: tx.now,
    updated_at: tx.now,
  });
  if (input.subscribers !== undefined) replaceSubscribers(tx, workspace.id, id, input.subscribers);
  return id;
}

/** Partial update; what was due while it was paused is not made up for. */
export function updateAutopilot(tx: Tx, scope: Scope, row: AutopilotRow, input: AutopilotInput): void {
  const columns = checked(tx, scope, row.owner_id, { ...(input.assignee_id === undefined ? {} : { assignee_type: row.assignee_type }), ...input });
  update(tx.db, "autopilot", row.id, { ...columns, updated_at: tx.now });
  if (input.subscribers !== undefined) replaceSubscribers(tx, row.workspace_id, row.id, input.subscribers);
  if (columns["status"] === "active" && row.status !== "active") refreshTriggers(tx, row.id);
}

export function deleteAutopilot(tx: Tx, row: AutopilotRow): void {
  run(tx.db, "DELETE FROM autopilot WHERE id = :id", { id: row.id });
}

function present(db: Tx["db"], scope: Scope, row: AutopilotRow): object {
  const id = { id: row.id };
  const triggers = all<{ kind: string; enabled: number; next_run_at: number | null }>(
    db,
    "SELECT kind, enabled, next_run_at FROM autopilot_trigger WHERE autopilot_id = :id",
    id,
  );
  const due = triggers.flatMap((one) => (one.enabled === 1 && one.next_run_at !== null ? [one.next_run_at] : []));
  const last = one<{ status: string }>(db, "SELECT status FROM autopilot_run WHERE autopilot_id = :id ORDER BY created_at DESC, rowid DESC LIMIT 1", id);
  const subscribers = all<AutopilotFacts["subscribers"][number]>(
    db,
    "SELECT user_type, user_id, created_at FROM autopilot_subscriber WHERE autopilot_id = :id ORDER BY created_at, user_id",
    id,
  );
  return autopilotWire(row, {
    trigger_kinds: [...new Set(triggers.map((one) => one.kind))],
    next_run_at: row.status === "active" && due.length > 0 ? Math.min(...due) : null,
    last_run_status: last?.status ?? null,
    subscribers,
    can_write: mayChange(db, scope, row.owner_id),
  });
}

function checked(tx: Tx, scope: Scope, ownerId: string, input: AutopilotInput): Columns {
  const columns: Columns = {};
  if (input.title !== undefined) {
    columns["title"] = input.title.trim();
    if (columns["title"] === "") throw badRequest("title is required");
  }
  for (const key of ["description", "issue_title_template"] as const) if (input[key] !== undefined) columns[key] = input[key] || null;
  if (input.project_id !== undefined) columns["project_id"] = projectColumn(tx, scope.workspace.id, input.project_id);
  if (input.priority !== undefined) columns["priority"] = oneOf("priority", input.priority, PRIORITIES);
  if (input.execution_mode !== undefined) columns["execution_mode"] = oneOf("execution_mode", input.execution_mode, AUTOPILOT_MODES);
  if (input.status !== undefined) columns["status"] = oneOf("status", input.status, AUTOPILOT_STATUSES);
  return input.assignee_id === undefined ? columns : { ...columns, ...assignee(tx, scope, ownerId, input.assignee_type ?? "agent", input.assignee_id) };
}

function assignee(tx: Tx, scope: Scope, ownerId: string, type: string, given: string): Columns {
  const workspaceId = scope.workspace.id;
  const id = given.toLowerCase();
  if (type !== "agent" && type !== "squad") throw badRequest("assignee_type must be 'agent' or 'squad'");
  if (!isUuid(id)) throw badRequest("invalid assignee_id");
  const agentId = type === "agent" ? id : activeSquad(tx.db, workspaceId, id)?.leader_id;
  const agent = agentId === undefined ? undefined : one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :agentId AND workspace_id = :workspaceId", { agentId, workspaceId });
  if (agent === undefined) throw badRequest(`assignee_id does not refer to ${type === "agent" ? "an agent of" : "a squad in"} this workspace`);
  if (agent.archived_at !== null) throw badRequest("cannot assign to archived agent");
  if (!mayInvoke(agent, ownerId)) throw new HttpError(403, "you do not have permission to assign work to this agent");
  return { assignee_type: type, assignee_id: id };
}

function replaceSubscribers(tx: Tx, workspaceId: string, id: string, subscribers: NonNullable<AutopilotInput["subscribers"]>): void {
  run(tx.db, "DELETE FROM autopilot_subscriber WHERE autopilot_id = :id", { id });
  for (const { user_type: type, user_id: userId } of subscribers) {
    if (type !== "member") throw badRequest("user_type must be 'member'");
    requireMember(tx, workspaceId, userId.toLowerCase(), "user_id");
    run(
      tx.db,
      `INSERT INTO autopilot_subscriber (autopilot_id, user_type, user_id, created_at) VALUES (:id, 'member', :userId, :now)
       ON CONFLICT DO NOTHING`,
      { id, userId: userId.toLowerCase(), now: tx.now },
    );
  }
}
