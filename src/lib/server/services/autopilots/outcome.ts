import { isObject, parseJson } from "../../../core/index.ts";
import type { Actor } from "../../context.ts";
import { one, run } from "../../db/query.ts";
import type { AutopilotRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { notify } from "../inbox.ts";

/** The run's task is under way. */
export function afterAutopilotStart(tx: Tx, task: TaskRow): void {
  run(tx.db, "UPDATE autopilot_run SET status = 'running' WHERE id = :id AND status = 'pending'", { id: task.autopilot_run_id });
}

/** The run ends as its task did; who owns the autopilot hears of a failure. */
export function afterAutopilotRun(tx: Tx, task: TaskRow): void {
  const completed = task.status === "completed";
  const reason = task.status === "cancelled" ? "cancelled" : (task.error ?? task.failure_reason);
  const ended = run(
    tx.db,
    `UPDATE autopilot_run SET status = :status, completed_at = :now, result = :result, failure_reason = :reason, reason_code = :code
     WHERE id = :id AND status IN ('pending', 'running')`,
    {
      id: task.autopilot_run_id,
      status: completed ? "completed" : "failed",
      now: tx.now,
      result: completed ? task.result : null,
      reason: completed ? null : reason,
      code: completed ? null : (task.failure_reason ?? "cancelled"),
    },
  );
  if (ended === 0 || task.status !== "failed") return;
  const sql = "SELECT a.* FROM autopilot a JOIN autopilot_run r ON r.autopilot_id = a.id WHERE r.id = :id";
  const autopilot = one<AutopilotRow>(tx.db, sql, { id: task.autopilot_run_id });
  if (autopilot === undefined) return;
  const actor: Actor = { type: "agent", userId: autopilot.owner_id, agentId: task.agent_id, taskId: task.id };
  const details = { autopilot_id: autopilot.id, autopilot_run_id: task.autopilot_run_id, task_id: task.id };
  notify(tx, autopilot.owner_id, { workspaceId: autopilot.workspace_id, type: "autopilot_failed", severity: "attention", title: autopilot.title, body: reason, actor, details });
}

/** What a claim says of the run it is for (server-api.md 5.4). */
export function autopilotFields(tx: Tx, task: TaskRow) {
  const sql = `SELECT a.id, a.title, a.description, a.project_id, r.source, r.trigger_payload
    FROM autopilot_run r JOIN autopilot a ON a.id = r.autopilot_id WHERE r.id = :id`;
  type Row = Pick<AutopilotRow, "id" | "title" | "description" | "project_id"> & { source: string; trigger_payload: string | null };
  const row = one<Row>(tx.db, sql, { id: task.autopilot_run_id });
  const id = { autopilot_run_id: task.autopilot_run_id };
  if (row === undefined) return { fields: id, projectId: null };
  const payload = row.trigger_payload === null ? undefined : parseJson(row.trigger_payload);
  return {
    projectId: row.project_id,
    fields: {
      ...id,
      autopilot_id: row.id,
      autopilot_title: row.title,
      ...(row.description === null ? {} : { autopilot_description: row.description }),
      autopilot_source: row.source,
      ...(payload === undefined || (isObject(payload) && Object.keys(payload).length === 0) ? {} : { autopilot_trigger_payload: payload }),
    },
  };
}
