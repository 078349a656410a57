import { MulticaError } from "../../../core/index.ts";
import type { Db, SqlParams } from "../../../platform/index.ts";
import type { TaskState } from "../../../wire/index.ts";
import { deleteTaskTokens } from "../../auth/tokens.ts";
import { one } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { sqlStates, statesBefore } from "./states.ts";

/** The task, or undefined when no row has that id; throws only when the database does. */
export function findTask(db: Db, id: string): TaskRow | undefined {
  return one<TaskRow>(db, "SELECT * FROM task WHERE id = :id", { id });
}

export interface Move {
  readonly to: TaskState;
  /** Narrows the states the row may be in; without it every state that has an arrow to `to`. */
  readonly from?: readonly TaskState[];
  /** Further columns to set; the keys are column names from code. */
  readonly set?: SqlParams;
}

/**
 * The only way a task changes its state: a compare-and-set. Returns the new row, or undefined when the task was in
 * none of the allowed states (or is gone); then nothing changed (server-api.md 11.1).
 */
export function moveTask(tx: Tx, id: string, move: Move): TaskRow | undefined {
  const allowed = statesBefore(move.to);
  const from = move.from ?? allowed;
  if (!from.every((state) => allowed.includes(state))) {
    throw new MulticaError("bug", `no task goes from ${from.join("/")} to ${move.to}`);
  }
  const set = { status: move.to, updated_at: tx.now, ...move.set };
  const assignments = Object.keys(set).map((column) => `${column} = :${column}`);
  const sql = `UPDATE task SET ${assignments.join(", ")} WHERE id = :where_id AND status IN (${sqlStates(from)}) RETURNING *`;
  return one<TaskRow>(tx.db, sql, { ...set, where_id: id });
}

/** Ends a task: terminal state, its tokens deleted, no lease left. Undefined when it had ended or is gone. */
export function endTask(tx: Tx, id: string, move: Move): TaskRow | undefined {
  const ended = moveTask(tx, id, {
    ...move,
    set: { completed_at: tx.now, prepare_lease_expires_at: null, wait_reason: null, fire_at: null, ...move.set },
  });
  if (ended !== undefined) deleteTaskTokens(tx, id);
  return ended;
}
