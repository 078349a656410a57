import { all } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { isRuntimeAlive } from "./health.ts";
import { moveTask } from "./store.ts";

/**
 * Puts the oldest due deferred task of each (issue, agent) pair of `runtimeId` into the queue, when its daemon is there and
 * the pair has no queued or dispatched row any more. Deferred are retries for some seconds, escalations for minutes, and a
 * follow-up while the task it follows is dispatched: its prompt is already on the way, and one pending row a pair is a rule
 * of the table (server-api.md 11.1, 11.2).
 */
export function promoteDeferred(tx: Tx, runtimeId: string): void {
  if (!isRuntimeAlive(tx, runtimeId)) return;
  const due = all<TaskRow>(
    tx.db,
    `SELECT t.* FROM task t
     WHERE t.runtime_id = :runtimeId AND t.status = 'deferred' AND t.fire_at <= :now
       AND NOT EXISTS (SELECT 1 FROM task p WHERE p.issue_id = t.issue_id AND p.agent_id = t.agent_id
                       AND p.status IN ('queued', 'dispatched'))
     ORDER BY t.created_at, t.rowid`,
    { runtimeId, now: tx.now },
  );
  const seen = new Set<string>();
  for (const task of due) {
    const pair = `${task.issue_id ?? task.id} ${task.agent_id}`;
    if (seen.has(pair)) continue;
    seen.add(pair);
    if (moveTask(tx, task.id, { to: "queued", from: ["deferred"], set: { fire_at: null, escalates_task_id: null } }) !== undefined) {
      tx.emit({ type: "task_available", runtimeId, taskId: task.id });
    }
  }
}

/** After a task has left its place: promotes what followed it and wakes the daemons that wait for this agent. */
export function releaseWaiting(tx: Tx, task: TaskRow): void {
  promoteDeferred(tx, task.runtime_id);
  const waiting = all<{ id: string; runtime_id: string }>(
    tx.db,
    `SELECT q.id, q.runtime_id FROM agent_runtime r JOIN task q ON q.rowid = (
       SELECT w.rowid FROM task w WHERE w.runtime_id = r.id AND w.agent_id = :agentId AND w.status = 'queued'
       ORDER BY w.priority DESC, w.created_at, w.rowid LIMIT 1)
     WHERE r.workspace_id = :workspaceId`,
    { agentId: task.agent_id, workspaceId: task.workspace_id },
  );
  for (const row of waiting) tx.emit({ type: "task_available", runtimeId: row.runtime_id, taskId: row.id });
}
