import { isUniqueViolation } from "../../../platform/index.ts";
import type { SquadMemberInput } from "../../../wire/index.ts";
import { all, insert, one, run } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { SquadMemberRow, SquadRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { membersOf } from "./squads.ts";

const MAX_ROLE = 64;

interface Who {
  readonly type: "agent" | "member";
  readonly id: string;
}

export function addMember(tx: Tx, squad: SquadRow, input: SquadMemberInput): SquadMemberRow {
  const who = existing(tx, squad, input);
  const id = tx.newId();
  const row = { id, squad_id: squad.id, member_type: who.type, member_id: who.id, role: roleOf(input.role ?? "member"), created_at: tx.now };
  try {
    insert(tx.db, "squad_member", row);
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "already a member of this squad", { cause: error });
    throw error;
  }
  return find(tx, squad, who);
}

/** Takes a member out; the leader stays as long as it leads. */
export function removeMember(tx: Tx, squad: SquadRow, input: SquadMemberInput): void {
  const who = named(input);
  if (who.type === "agent" && who.id === squad.leader_id) throw badRequest("the leader cannot be removed from its squad");
  const row = find(tx, squad, who);
  run(tx.db, "DELETE FROM squad_member WHERE id = :id", { id: row.id });
}

export function setRole(tx: Tx, squad: SquadRow, input: SquadMemberInput): SquadMemberRow {
  const row = find(tx, squad, named(input));
  run(tx.db, "UPDATE squad_member SET role = :role WHERE id = :id", { id: row.id, role: roleOf(input.role ?? "") });
  return find(tx, squad, named(input));
}

/** What each member is doing: agents by their runs, people without one (server-api.md 13.12). */
export function memberStatus(db: Tx["db"], squad: SquadRow): object[] {
  const sql = `SELECT a.id, r.status AS runtime, EXISTS (SELECT 1 FROM task t WHERE t.agent_id = a.id
      AND t.status IN ('dispatched', 'waiting_local_directory', 'running')) AS busy
    FROM agent a LEFT JOIN agent_runtime r ON r.id = a.runtime_id WHERE a.workspace_id = :workspaceId`;
  const agents = new Map(
    all<{ id: string; runtime: string | null; busy: number }>(db, sql, { workspaceId: squad.workspace_id }).map((row) => [row.id, row]),
  );
  return membersOf(db, squad.id).map(({ member_type, member_id, role }) => {
    const agent = member_type === "agent" ? agents.get(member_id) : undefined;
    const status = agent === undefined ? null : agent.runtime !== "online" ? "offline" : agent.busy === 1 ? "working" : "idle";
    return { member_type, member_id, role, status };
  });
}

function named(input: SquadMemberInput): Who {
  const { member_type: type } = input;
  if (type !== "agent" && type !== "member") throw badRequest("member_type must be 'agent' or 'member'");
  if (input.member_id.trim() === "") throw badRequest("member_id is required");
  return { type, id: input.member_id.toLowerCase() };
}

function existing(tx: Tx, squad: SquadRow, input: SquadMemberInput): Who {
  const who = named(input);
  const sql =
    who.type === "agent"
      ? "SELECT 1 FROM agent WHERE id = :id AND workspace_id = :ws AND archived_at IS NULL"
      : "SELECT 1 FROM member WHERE user_id = :id AND workspace_id = :ws";
  if (one(tx.db, sql, { id: who.id, ws: squad.workspace_id }) === undefined) {
    throw badRequest(`member_id does not refer to ${who.type === "agent" ? "an agent" : "a member"} of this workspace`);
  }
  return who;
}

function find(tx: Tx, squad: SquadRow, who: Who): SquadMemberRow {
  const sql = "SELECT * FROM squad_member WHERE squad_id = :squadId AND member_type = :type AND member_id = :id";
  const row = one<SquadMemberRow>(tx.db, sql, { squadId: squad.id, ...who });
  if (row === undefined) throw notFound("squad member");
  return row;
}

function roleOf(role: string): string {
  const text = role.trim();
  if (text === "") throw badRequest("role is required");
  if ([...text].length > MAX_ROLE || /[\r\n]/.test(text)) throw badRequest(`role must be one line of at most ${MAX_ROLE} characters`);
  return text;
}
