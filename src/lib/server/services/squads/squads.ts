import { isUniqueViolation } from "../../../platform/index.ts";
import type { SquadInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type AgentRow, type SquadMemberRow, type SquadRow, squadWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { requirePerson } from "../ownership.ts";

/** Squads of the workspace by name; archived ones are left out (server-api.md 13.12). */
export function listSquads(db: Tx["db"], workspaceId: string): object[] {
  const sql = "SELECT * FROM squad WHERE workspace_id = :workspaceId AND archived_at IS NULL ORDER BY name";
  return all<SquadRow>(db, sql, { workspaceId }).map((row) => squadWire(row, membersOf(db, row.id)));
}

/** The squad within its workspace, archived or not; 404 `squad not found`. */
export function loadSquad(db: Tx["db"], workspaceId: string, id: string): SquadRow {
  const row = one<SquadRow>(db, "SELECT * FROM squad WHERE id = :id AND workspace_id = :workspaceId", { id, workspaceId });
  if (row === undefined) throw notFound("squad");
  return row;
}

export function showSquad(db: Tx["db"], workspaceId: string, id: string): object {
  return squadWire(loadSquad(db, workspaceId, id), membersOf(db, id));
}

/** Members in the order they joined. */
export function membersOf(db: Tx["db"], squadId: string): SquadMemberRow[] {
  return all<SquadMemberRow>(db, "SELECT * FROM squad_member WHERE squad_id = :squadId ORDER BY created_at, rowid", { squadId });
}

/** Creates a squad; its leader is its first member. Returns the id. */
export function createSquad(tx: Tx, scope: Scope, input: SquadInput): string {
  const id = tx.newId();
  const columns = checked(tx, scope, { ...input, name: input.name ?? "", leader_id: input.leader_id ?? "" });
  const row = { id, workspace_id: scope.workspace.id, creator_id: requirePerson(tx.db, scope), ...columns, created_at: tx.now, updated_at: tx.now };
  uniqueName(() => insert(tx.db, "squad", row));
  joinLeader(tx, id, String(columns["leader_id"]));
  return id;
}

/** Partial update; a new leader becomes a member. */
export function updateSquad(tx: Tx, scope: Scope, squad: SquadRow, input: SquadInput): void {
  if (squad.archived_at !== null) throw badRequest("squad is already archived");
  const columns = checked(tx, scope, input);
  uniqueName(() => update(tx.db, "squad", squad.id, { ...columns, updated_at: tx.now }));
  if (typeof columns["leader_id"] === "string") joinLeader(tx, squad.id, columns["leader_id"]);
}

/** Archives the squad; what was assigned to it is its leader's from now on. */
export function archiveSquad(tx: Tx, scope: Scope, squad: SquadRow): void {
  if (squad.archived_at !== null) throw badRequest("squad is already archived");
  update(tx.db, "squad", squad.id, { archived_at: tx.now, archived_by: scope.actor.userId, updated_at: tx.now });
  run(
    tx.db,
    `UPDATE issue SET assignee_type = 'agent', assignee_id = :leader, revision = revision + 1, updated_at = :now
     WHERE assignee_type = 'squad' AND assignee_id = :id`,
    { leader: squad.leader_id, id: squad.id, now: tx.now },
  );
  run(tx.db, "UPDATE autopilot SET assignee_type = 'agent', assignee_id = :leader WHERE assignee_type = 'squad' AND assignee_id = :id", {
    leader: squad.leader_id,
    id: squad.id,
  });
}

function checked(tx: Tx, scope: Scope, input: SquadInput): Record<string, string | null> {
  const columns: Record<string, string | null> = {};
  if (input.name !== undefined) {
    columns["name"] = input.name.trim();
    if (columns["name"] === "") throw badRequest("name is required");
  }
  for (const key of ["description", "instructions"] as const) if (input[key] !== undefined) columns[key] = input[key] ?? "";
  if (input.avatar_url !== undefined) columns["avatar_url"] = input.avatar_url ?? null;
  if (input.leader_id !== undefined) columns["leader_id"] = leader(tx, scope.workspace.id, input.leader_id);
  return columns;
}

function leader(tx: Tx, workspaceId: string, id: string): string {
  if (id.trim() === "") throw badRequest("leader_id is required");
  const params = { id: id.toLowerCase(), workspaceId };
  const agent = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id AND workspace_id = :workspaceId", params);
  if (agent === undefined) throw badRequest("leader_id does not refer to an agent of this workspace");
  if (agent.archived_at !== null) throw badRequest("the leader is archived");
  return agent.id;
}

function joinLeader(tx: Tx, squadId: string, agentId: string): void {
  run(
    tx.db,
    `INSERT INTO squad_member (id, squad_id, member_type, member_id, role, created_at)
     VALUES (:id, :squadId, 'agent', :agentId, 'leader', :now) ON CONFLICT DO NOTHING`,
    { id: tx.newId(), squadId, agentId, now: tx.now },
  );
}

function uniqueName(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "a squad with this name already exists", { cause: error });
    throw error;
  }
}
