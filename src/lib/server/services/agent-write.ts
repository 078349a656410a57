import { isUniqueViolation } from "../../platform/index.ts";
import type { AgentInput } from "../../wire/index.ts";
import { all, insert, run, update } from "../db/query.ts";
import { HttpError, badRequest } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import { type AgentRow, type TaskRow, objectColumn } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { type Columns, agentColumns, permissionColumns } from "./agent-input.ts";
import { attachSkills } from "./skills/agent-skills.ts";
import { cancelTasksOfAgent } from "./tasks/enqueue.ts";

/** Creates an agent owned by the human behind the caller and returns its id (server-api.md 13.9.1). */
export function createAgent(tx: Tx, scope: Scope, input: AgentInput): string {
  const id = tx.newId();
  const columns = agentColumns(tx, scope, { ...input, name: input.name ?? "", runtime_id: input.runtime_id ?? "" });
  const row = {
    id,
    workspace_id: scope.workspace.id,
    owner_id: scope.actor.userId,
    custom_env: JSON.stringify(input.custom_env ?? {}),
    ...columns,
    ...permissionColumns(tx, scope, input),
    created_at: tx.now,
    updated_at: tx.now,
  };
  uniqueName(String(columns["name"]), () => insert(tx.db, "agent", row));
  if (input.skill_ids !== undefined) attachSkills(tx, { id, workspace_id: scope.workspace.id }, input.skill_ids, false);
  return id;
}

/** Partial update. Work that waits for the agent moves with it to a new runtime. */
export function updateAgent(tx: Tx, scope: Scope, agent: AgentRow, input: AgentInput): void {
  if (input.custom_env !== undefined) throw badRequest("custom_env cannot be changed here; use PUT /api/agents/{id}/env");
  const columns: Columns = { ...agentColumns(tx, scope, input), ...permissionColumns(tx, scope, input, agent), updated_at: tx.now };
  uniqueName(input.name?.trim() ?? agent.name, () => update(tx.db, "agent", agent.id, columns));
  const runtimeId = columns["runtime_id"];
  if (typeof runtimeId === "string" && runtimeId !== agent.runtime_id) moveQueue(tx, agent.id, runtimeId);
}

/** Archiving ends all work of the agent (server-api.md 13.9.1). */
export function archiveAgent(tx: Tx, agent: AgentRow, userId: string): void {
  if (agent.archived_at !== null) return;
  update(tx.db, "agent", agent.id, { archived_at: tx.now, archived_by: userId, updated_at: tx.now });
  cancelTasksOfAgent(tx, agent.id);
}

export function restoreAgent(tx: Tx, agent: AgentRow): void {
  update(tx.db, "agent", agent.id, { archived_at: null, archived_by: null, updated_at: tx.now });
}

/** What stands for a value that the caller has not seen and wants to keep. */
const KEPT_VALUE = "****";

/** Replaces the whole environment; `****` keeps a stored value and is dropped when there is none. */
export function replaceEnv(tx: Tx, agent: AgentRow, env: Readonly<Record<string, string>>): void {
  const stored = objectColumn(agent.custom_env);
  const next: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(env)) {
    if (value !== KEPT_VALUE) next[key] = value;
    else if (key in stored) next[key] = stored[key];
  }
  update(tx.db, "agent", agent.id, { custom_env: JSON.stringify(next), updated_at: tx.now });
}

function moveQueue(tx: Tx, agentId: string, runtimeId: string): void {
  const queued = all<Pick<TaskRow, "id">>(tx.db, "SELECT id FROM task WHERE agent_id = :agentId AND status = 'queued'", { agentId });
  run(tx.db, "UPDATE task SET runtime_id = :runtimeId, updated_at = :now WHERE agent_id = :agentId AND status IN ('queued', 'deferred')", {
    runtimeId,
    agentId,
    now: tx.now,
  });
  for (const task of queued) tx.emit({ type: "task_available", runtimeId, taskId: task.id });
}

function uniqueName(name: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) {
      throw new HttpError(409, `an agent named "${name}" already exists in this workspace`, { cause: error });
    }
    throw error;
  }
}
