import { all, one, run, update } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import type { RuntimeRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { cancelTasksOfRuntime } from "./tasks/enqueue.ts";
import { OPEN_STATES, sqlStates } from "./tasks/states.ts";

/** The runtime within its workspace; 404 `runtime not found`. */
export function loadRuntime(db: Tx["db"], workspaceId: string, id: string): RuntimeRow {
  const sql = "SELECT * FROM agent_runtime WHERE id = :id AND workspace_id = :workspaceId";
  const row = one<RuntimeRow>(db, sql, { id, workspaceId });
  if (row === undefined) throw notFound("runtime");
  return row;
}

interface RuntimePatch {
  readonly visibility?: string | undefined;
  readonly custom_name?: string | null | undefined;
  /** True gives the name to every runtime of the same daemon. */
  readonly apply_to_machine?: boolean | undefined;
}

/** server-api.md 13.10. The caller has checked that the runtime is the user's own. */
export function updateRuntime(tx: Tx, runtime: RuntimeRow, patch: RuntimePatch): RuntimeRow {
  const columns: Record<string, string | number | null> = { updated_at: tx.now };
  if (patch.visibility !== undefined) {
    if (patch.visibility !== "private" && patch.visibility !== "public") throw badRequest("visibility must be 'private' or 'public'");
    columns["visibility"] = patch.visibility;
  }
  if (patch.custom_name !== undefined) columns["custom_name"] = patch.custom_name?.trim() || null;
  update(tx.db, "agent_runtime", runtime.id, columns);
  if (patch.apply_to_machine === true && patch.custom_name !== undefined) {
    run(
      tx.db,
      `UPDATE agent_runtime SET custom_name = :name, updated_at = :now
       WHERE workspace_id = :workspaceId AND daemon_id = :daemonId AND owner_id IS :ownerId`,
      { name: columns["custom_name"] ?? null, now: tx.now, workspaceId: runtime.workspace_id, daemonId: runtime.daemon_id, ownerId: runtime.owner_id },
    );
  }
  return loadRuntime(tx.db, runtime.workspace_id, runtime.id);
}

/** Deletes a built-in runtime that no active agent is bound to; 409 with the code that says what to do otherwise. */
export function deleteRuntime(tx: Tx, runtime: RuntimeRow): void {
  requireBuiltIn(runtime);
  const agents = activeAgents(tx, runtime.id);
  if (agents.length > 0) throw boundAgents("cannot delete runtime: active agents are bound to it", agents);
  // Runs of agents that have moved away in the meantime.
  if (one(tx.db, `SELECT 1 FROM task WHERE runtime_id = :id AND status IN (${sqlStates(OPEN_STATES)})`, { id: runtime.id }) !== undefined) {
    throw new HttpError(409, "cannot delete runtime: runs are still under way on it", { code: "runtime_delete_not_drained" });
  }
  run(tx.db, "DELETE FROM agent_runtime WHERE id = :id", { id: runtime.id });
}

/**
 * Deletes a built-in runtime with everything that is open on it. Its agents stay without one; the autopilots that start
 * them pause. 409 unless `expected` are the agents that are bound to it now: nobody is cut off whom the caller has not seen.
 */
export function deleteRuntimeOfAgents(tx: Tx, runtime: RuntimeRow, expected: readonly string[]): object {
  requireBuiltIn(runtime);
  const agents = activeAgents(tx, runtime.id);
  const wanted = new Set(expected.map((id) => id.toLowerCase()));
  if (wanted.size !== agents.length || agents.some((agent) => !wanted.has(agent.id))) {
    throw boundAgents("cannot delete runtime: other agents are bound to it than expected", agents);
  }
  const cancelled = cancelTasksOfRuntime(tx, runtime.id);
  const paused = run(
    tx.db,
    `UPDATE autopilot SET status = 'paused', updated_at = :now
     WHERE status = 'active' AND assignee_type = 'agent' AND assignee_id IN (SELECT value FROM json_each(:ids))`,
    { now: tx.now, ids: JSON.stringify(agents.map((agent) => agent.id)) },
  );
  run(tx.db, "DELETE FROM agent_runtime WHERE id = :id", { id: runtime.id });
  return { status: "ok", agents_unbound: agents.length, autopilots_paused: paused, tasks_cancelled: cancelled };
}

interface BoundAgent {
  readonly id: string;
  readonly name: string;
}

function activeAgents(tx: Tx, runtimeId: string): BoundAgent[] {
  const sql = "SELECT id, name FROM agent WHERE runtime_id = :runtimeId AND archived_at IS NULL ORDER BY name";
  return all<BoundAgent>(tx.db, sql, { runtimeId });
}

function boundAgents(message: string, agents: readonly BoundAgent[]): HttpError {
  return new HttpError(409, message, { code: "runtime_has_active_agents", extra: { active_agents: agents } });
}

function requireBuiltIn(runtime: RuntimeRow): void {
  if (runtime.profile_id === null) return;
  throw new HttpError(409, "a runtime of a profile goes with its profile", { code: "runtime_profile_instance_delete_unsupported" });
}
