import { errorText } from "../../../core/index.ts";
import { mintTaskToken } from "../../auth/tokens.ts";
import type { ServerContext } from "../../context.ts";
import { one } from "../../db/query.ts";
import type { RuntimeRow, TaskRow } from "../../rows/index.ts";
import { type Tx, inTransaction } from "../../transaction.ts";
import { cancelRow } from "./cancel.ts";
import { type ClaimedTask, buildClaim } from "./claim-payload.ts";
import { promoteDeferred } from "./follow-ups.ts";
import { isAlive } from "./health.ts";
import { HELD_STATES, sqlStates } from "./states.ts";
import { moveTask } from "./store.ts";

/** The most tasks one call hands out (server-api.md 5.2). */
export const MAX_CLAIM = 32;

export type ClaimOutcome =
  | { readonly kind: "task"; readonly task: ClaimedTask }
  | { readonly kind: "empty" }
  /** The task cannot be served and was cancelled. */
  | { readonly kind: "cancelled"; readonly taskId: string; readonly message: string; readonly status: 422 | 500 }
  /** Something that may pass went wrong; the task is back in the queue. */
  | { readonly kind: "requeued"; readonly taskId: string; readonly message: string };

/**
 * Hands the next task of a runtime out, in one transaction: re-delivery first, then the queue; compare-and-set to
 * dispatched with a lease, payload, token. Nothing is handed out when any of it fails (server-api.md 11.3, 14.5).
 */
export function claimNext(ctx: ServerContext, runtimeId: string, capabilities: ReadonlySet<string>, skip: ReadonlySet<string> = new Set()): ClaimOutcome {
  return inTransaction(ctx, (tx): ClaimOutcome => {
    const runtime = one<RuntimeRow>(tx.db, "SELECT * FROM agent_runtime WHERE id = :id", { id: runtimeId });
    if (runtime === undefined || !isAlive(tx, runtime)) return { kind: "empty" };
    const picked = pickLost(tx, runtimeId, skip) ?? pickQueued(tx, runtimeId, skip);
    if (picked === undefined) return { kind: "empty" };
    const task = moveTask(tx, picked.id, {
      to: "dispatched",
      from: [picked.status],
      set: { dispatched_at: tx.now, prepare_lease_expires_at: tx.now + tx.thresholds.prepareLeaseMs },
    });
    return task === undefined ? { kind: "empty" } : handOut(ctx, tx, task, runtime, capabilities);
  });
}

/**
 * Up to `max` tasks (at most 32), one a runtime and round, until nothing is left. A task that could not be built is
 * left out and does not hold the others up (server-api.md 5.2).
 */
export function claimBatch(ctx: ServerContext, runtimeIds: readonly string[], max: number, capabilities: ReadonlySet<string>): ClaimedTask[] {
  const wanted = Math.min(max, MAX_CLAIM);
  const tasks: ClaimedTask[] = [];
  const failed = new Set<string>();
  let runtimes = [...new Set(runtimeIds)];
  while (tasks.length < wanted && runtimes.length > 0) {
    const busy: string[] = [];
    for (const runtimeId of runtimes) {
      if (tasks.length >= wanted) break;
      const outcome = claimNext(ctx, runtimeId, capabilities, failed);
      if (outcome.kind === "empty") continue;
      busy.push(runtimeId);
      if (outcome.kind === "task") tasks.push(outcome.task);
      else failed.add(outcome.taskId);
    }
    runtimes = busy;
  }
  return tasks;
}

/** A task that was handed out, never started and has no lease: its daemon probably never got the answer. */
function pickLost(tx: Tx, runtimeId: string, skip: ReadonlySet<string>): TaskRow | undefined {
  return one<TaskRow>(
    tx.db,
    `SELECT * FROM task WHERE runtime_id = :runtimeId AND status = 'dispatched' AND started_at IS NULL
       AND dispatched_at < :before AND (prepare_lease_expires_at IS NULL OR prepare_lease_expires_at <= :now)
       AND id NOT IN (SELECT value FROM json_each(:skip))
     ORDER BY priority DESC, dispatched_at, rowid LIMIT 1`,
    { runtimeId, now: tx.now, before: tx.now - tx.thresholds.redeliverAfterMs, skip: JSON.stringify([...skip]) },
  );
}

/**
 * The most urgent, then oldest queued task whose agent has room and is not busy with the same thing. A conversation's next
 * turn does not overtake one that is about to be tried again. The agents that wait are found by leaping through the index,
 * and each is asked for its first: a long queue costs no more than a short one.
 */
function pickQueued(tx: Tx, runtimeId: string, skip: ReadonlySet<string>): TaskRow | undefined {
  promoteDeferred(tx, runtimeId);
  const held = sqlStates(HELD_STATES);
  return one<TaskRow>(
    tx.db,
    `WITH RECURSIVE waiting (agent_id) AS (
       SELECT min(agent_id) FROM task WHERE runtime_id = :runtimeId AND status = 'queued'
       UNION ALL
       SELECT (SELECT min(agent_id) FROM task WHERE runtime_id = :runtimeId AND status = 'queued' AND agent_id > waiting.agent_id)
       FROM waiting WHERE waiting.agent_id IS NOT NULL)
     SELECT t.* FROM waiting JOIN agent a ON a.id = waiting.agent_id JOIN task t ON t.rowid = (
       SELECT q.rowid FROM task q WHERE q.runtime_id = :runtimeId AND q.agent_id = waiting.agent_id AND q.status = 'queued'
         AND q.id NOT IN (SELECT value FROM json_each(:skip))
         AND NOT EXISTS (
           SELECT 1 FROM task x WHERE x.agent_id = q.agent_id AND x.status IN (${held})
             AND (x.issue_id = q.issue_id OR x.chat_session_id = q.chat_session_id
               OR (coalesce(q.issue_id, q.chat_session_id, q.autopilot_run_id) IS NULL
                   AND coalesce(x.issue_id, x.chat_session_id, x.autopilot_run_id) IS NULL)))
         AND NOT EXISTS (SELECT 1 FROM task w WHERE w.chat_session_id = q.chat_session_id AND w.status = 'deferred')
       ORDER BY q.priority DESC, q.created_at, q.rowid LIMIT 1)
     WHERE a.archived_at IS NULL
       AND (SELECT count(*) FROM task x WHERE x.agent_id = waiting.agent_id AND x.status IN (${held})) < a.max_concurrent_tasks
     ORDER BY t.priority DESC, t.created_at, t.rowid LIMIT 1`,
    { runtimeId, skip: JSON.stringify([...skip]) },
  );
}

function handOut(ctx: ServerContext, tx: Tx, task: TaskRow, runtime: RuntimeRow, capabilities: ReadonlySet<string>): ClaimOutcome {
  try {
    const built = buildClaim(tx, task, runtime, capabilities);
    if (built.kind === "refused") {
      cancelRow(tx, task.id, built.reason === undefined ? {} : { failure_reason: built.reason, error: built.message });
      ctx.logger.error("task cancelled at claim", { task: task.id, reason: built.message });
      return { kind: "cancelled", taskId: task.id, message: built.message, status: built.status };
    }
    const bound = { userId: built.ownerId, agentId: task.agent_id, taskId: task.id, workspaceId: task.workspace_id };
    return { kind: "task", task: { ...built.payload, auth_token: mintTaskToken(tx, bound) } };
  } catch (error) {
    moveTask(tx, task.id, { to: "queued", from: ["dispatched"], set: { dispatched_at: null, prepare_lease_expires_at: null } });
    ctx.logger.error("claim could not be built, task requeued", { task: task.id, error: errorText(error) });
    return { kind: "requeued", taskId: task.id, message: errorText(error) };
  }
}
