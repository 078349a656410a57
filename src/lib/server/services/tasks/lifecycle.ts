import { type HttpError, badRequest, notFound } from "../../http-error.ts";
import { run } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { afterStart } from "./aftermath.ts";
import { dismiss } from "./escalation.ts";
import { promoteDeferred } from "./follow-ups.ts";
import { findTask, moveTask } from "./store.ts";

/** The session and directory a callback carries; empty means "not known" and leaves what is stored. */
export interface Pointer {
  readonly session_id?: string | null | undefined;
  readonly work_dir?: string | null | undefined;
}

/** Renews the preparation lease of a task that a daemon holds but has not started (server-api.md 6.1). */
export function prepareLease(tx: Tx, runtimeId: string, taskId: string): TaskRow {
  const task = findTask(tx.db, taskId);
  if (task === undefined || task.runtime_id !== runtimeId) throw notFound("task");
  const changed = run(
    tx.db,
    `UPDATE task SET prepare_lease_expires_at = :until, updated_at = :now
     WHERE id = :id AND status IN ('dispatched', 'waiting_local_directory') AND started_at IS NULL`,
    { id: taskId, until: tx.now + tx.thresholds.prepareLeaseMs, now: tx.now },
  );
  if (changed === 0) throw badRequest(`task is not being prepared (status ${task.status})`);
  return reread(tx, taskId);
}

/** `dispatched` or waiting → `running`. Not idempotent on purpose: a second start is 400 (server-api.md 6.2). */
export function startTask(tx: Tx, taskId: string): TaskRow {
  const started = moveTask(tx, taskId, {
    to: "running",
    set: { started_at: tx.now, prepare_lease_expires_at: null, wait_reason: null },
  });
  if (started === undefined) throw refuse(tx, taskId, "started");
  afterStart(tx, started);
  dismiss(tx, taskId);
  promoteDeferred(tx, started.runtime_id);
  return started;
}

/** `dispatched` → `waiting_local_directory`, lease renewed (server-api.md 6.3). */
export function waitLocalDirectory(tx: Tx, taskId: string, reason: string): TaskRow {
  const waiting = moveTask(tx, taskId, {
    to: "waiting_local_directory",
    set: { wait_reason: reason, prepare_lease_expires_at: tx.now + tx.thresholds.prepareLeaseMs },
  });
  if (waiting === undefined) throw refuse(tx, taskId, "set waiting");
  return waiting;
}

/**
 * Keeps the resume pointer as soon as the agent announces it, so that a crash does not lose it. Without effect once the
 * task has ended, but for a cancelled one that has no session yet (server-api.md 6.7).
 */
export function pinSession(tx: Tx, taskId: string, pointer: Pointer): void {
  const task = findTask(tx.db, taskId);
  if (task === undefined) throw notFound("task");
  const open = task.status === "dispatched" || task.status === "waiting_local_directory" || task.status === "running";
  if (!open && !(task.status === "cancelled" && task.session_id === null)) return;
  run(
    tx.db,
    `UPDATE task SET session_id = :session_id, session_runtime_id = :session_runtime_id, work_dir = :work_dir,
       updated_at = :now WHERE id = :id`,
    { ...mergedPointer(task, pointer), now: tx.now, id: taskId },
  );
}

/** The pointer columns after a callback: what it says, else what is stored (server-api.md 14.4). */
export function mergedPointer(task: TaskRow, pointer: Pointer) {
  const session = pointer.session_id ?? "";
  return {
    session_id: session === "" ? task.session_id : session,
    session_runtime_id: session === "" ? task.session_runtime_id : task.runtime_id,
    work_dir: pointer.work_dir || task.work_dir,
  };
}

function refuse(tx: Tx, taskId: string, what: string): HttpError {
  const task = findTask(tx.db, taskId);
  return task === undefined ? notFound("task") : badRequest(`task cannot be ${what} in status ${task.status}`);
}

function reread(tx: Tx, taskId: string): TaskRow {
  const task = findTask(tx.db, taskId);
  if (task === undefined) throw notFound("task");
  return task;
}
