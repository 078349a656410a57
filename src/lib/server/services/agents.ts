import { all, one } from "../db/query.ts";
import { HttpError, notFound } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import { type AgentRow, agentWire, targetsOf } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { agentSkills } from "./skills/agent-skills.ts";

interface AgentWithFacts extends AgentRow {
  runtime_mode: string | null;
  runtime_status: string | null;
  busy: number;
}

const SELECT = `SELECT a.*, r.runtime_mode, r.status AS runtime_status,
    EXISTS (SELECT 1 FROM task t WHERE t.agent_id = a.id AND t.status IN ('dispatched', 'waiting_local_directory', 'running')) AS busy
  FROM agent a LEFT JOIN agent_runtime r ON r.id = a.runtime_id`;

/** Agents of the workspace that the caller may see, by name (server-api.md 13.9). */
export function listAgents(db: Tx["db"], scope: Scope, archived: boolean): object[] {
  const sql = `${SELECT} WHERE a.workspace_id = :workspaceId AND (:archived = 1 OR a.archived_at IS NULL) ORDER BY a.name`;
  return all<AgentWithFacts>(db, sql, { workspaceId: scope.workspace.id, archived: archived ? 1 : 0 })
    .filter((row) => maySee(scope, row))
    .map((row) => present(db, scope, row));
}

/** One agent as the caller sees it. */
export function showAgent(db: Tx["db"], scope: Scope, id: string): object {
  const row = one<AgentWithFacts>(db, `${SELECT} WHERE a.id = :id AND a.workspace_id = :workspaceId`, {
    id,
    workspaceId: scope.workspace.id,
  });
  if (row === undefined) throw notFound("agent");
  requireSight(scope, row);
  return present(db, scope, row);
}

/** The agent within its workspace; 404 `agent not found`. */
export function loadAgent(db: Tx["db"], workspaceId: string, id: string): AgentRow {
  const sql = "SELECT * FROM agent WHERE id = :id AND workspace_id = :workspaceId";
  const row = one<AgentRow>(db, sql, { id, workspaceId });
  if (row === undefined) throw notFound("agent");
  return row;
}

/** 403 unless the caller may see the agent (server-api.md 13.9.3). */
export function requireSight(scope: Scope, agent: AgentRow): void {
  if (!maySee(scope, agent)) throw new HttpError(403, "you do not have access to this agent");
}

function maySee(scope: Scope, agent: AgentRow): boolean {
  const { actor, role } = scope;
  if (actor.type === "agent" || role !== "member" || agent.owner_id === actor.userId) return true;
  if (agent.permission_mode !== "public_to") return false;
  return targetsOf(agent).some(
    (target) => target.target_type === "workspace" || (target.target_type === "member" && target.target_id === actor.userId),
  );
}

function present(db: Tx["db"], scope: Scope, row: AgentWithFacts): object {
  const manages = scope.role !== "member" || row.owner_id === scope.actor.userId;
  return agentWire(row, {
    runtimeMode: row.runtime_mode ?? "local",
    status: row.runtime_status !== "online" ? "offline" : row.busy === 1 ? "working" : "idle",
    redactMcp: scope.actor.type === "agent" || !manages,
    skills: agentSkills(db, row.id),
  });
}
