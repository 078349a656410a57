import { all, one, run } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import { isUuid } from "../../../core/index.ts";
import type { SkillRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

type AgentSkillRow = SkillRow & { readonly agent_id: string; readonly enabled: number };

const SELECT = "SELECT s.*, g.agent_id, g.enabled FROM agent_skill g JOIN skill s ON s.id = g.skill_id";

/** Skills that runs of the agent get: attached and not switched off, by name. */
export function enabledSkills(db: Tx["db"], agentId: string): SkillRow[] {
  return all<SkillRow>(db, `${SELECT} WHERE g.agent_id = :agentId AND g.enabled = 1 ORDER BY s.name`, { agentId });
}

/** An agent's skills as its own object and `GET …/skills` carry them (server-api.md 13.9). */
export function agentSkills(db: Tx["db"], agentId: string): object[] {
  return all<AgentSkillRow>(db, `${SELECT} WHERE g.agent_id = :agentId ORDER BY s.name`, { agentId }).map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    enabled: row.enabled === 1,
  }));
}

/** Attaches skills; with `replace` the agent has these and no others. Those it has already keep their switch. */
export function attachSkills(tx: Tx, agent: { readonly id: string; readonly workspace_id: string }, ids: readonly string[], replace: boolean): void {
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))];
  if (!wanted.every(isUuid)) throw badRequest("invalid skill_ids");
  const list = JSON.stringify(wanted);
  const sql = "SELECT id FROM skill WHERE workspace_id = :workspaceId AND id IN (SELECT value FROM json_each(:list))";
  if (all(tx.db, sql, { workspaceId: agent.workspace_id, list }).length !== wanted.length) {
    throw badRequest("one or more skills not found in this workspace");
  }
  if (replace) {
    run(tx.db, "DELETE FROM agent_skill WHERE agent_id = :agentId AND skill_id NOT IN (SELECT value FROM json_each(:list))", {
      agentId: agent.id,
      list,
    });
  }
  for (const skillId of wanted) {
    run(tx.db, "INSERT INTO agent_skill (agent_id, skill_id, created_at) VALUES (:agentId, :skillId, :now) ON CONFLICT DO NOTHING", {
      agentId: agent.id,
      skillId,
      now: tx.now,
    });
  }
}

export function detachSkill(tx: Tx, agentId: string, skillId: string): void {
  if (run(tx.db, "DELETE FROM agent_skill WHERE agent_id = :agentId AND skill_id = :skillId", { agentId, skillId }) === 0) throw notFound("skill");
}

export function switchSkill(tx: Tx, agentId: string, skillId: string, enabled: boolean): void {
  const known = one(tx.db, "SELECT 1 FROM agent_skill WHERE agent_id = :agentId AND skill_id = :skillId", { agentId, skillId });
  if (known === undefined) throw notFound("skill");
  run(tx.db, "UPDATE agent_skill SET enabled = :enabled WHERE agent_id = :agentId AND skill_id = :skillId", {
    enabled: enabled ? 1 : 0,
    agentId,
    skillId,
  });
}
