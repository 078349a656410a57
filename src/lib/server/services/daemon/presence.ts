import { isObject } from "../../../core/index.ts";
import { all, one, run, update } from "../../db/query.ts";
import { type RuntimeRow, objectColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { promoteDeferred } from "../tasks/follow-ups.ts";
import { isAlive } from "../tasks/health.ts";

/**
 * A sign of life: refreshes `last_seen_at` and brings the runtime back online. False when there is no such runtime.
 * A runtime that comes back, also one whose absence nobody noticed (the server was down), hears of the work that waits for
 * it (server-api.md 4.3, 10.8).
 */
export function touchRuntime(tx: Tx, runtimeId: string): boolean {
  const before = one<RuntimeRow>(tx.db, "SELECT * FROM agent_runtime WHERE id = :id", { id: runtimeId });
  if (before === undefined) return false;
  const seen = { id: runtimeId, now: tx.now };
  if (isAlive(tx, before)) {
    run(tx.db, "UPDATE agent_runtime SET last_seen_at = :now WHERE id = :id", seen);
    return true;
  }
  run(tx.db, "UPDATE agent_runtime SET last_seen_at = :now, status = 'online', updated_at = :now WHERE id = :id", seen);
  promoteDeferred(tx, runtimeId);
  const waiting = all<{ id: string }>(tx.db, "SELECT id FROM task WHERE runtime_id = :id AND status = 'queued' LIMIT 1", { id: runtimeId });
  for (const task of waiting) tx.emit({ type: "task_available", runtimeId, taskId: task.id });
  return true;
}

/** Takes a runtime offline at once, with the reason when one is given (server-api.md 4.2). */
export function takeOffline(tx: Tx, runtime: RuntimeRow, reason: unknown): void {
  const metadata = objectColumn(runtime.metadata);
  if (isObject(reason)) metadata["offline_reason"] = reason;
  update(tx.db, "agent_runtime", runtime.id, { status: "offline", metadata: JSON.stringify(metadata), updated_at: tx.now });
}
