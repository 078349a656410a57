import { one } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { type Pointer, mergedPointer } from "./lifecycle.ts";

/** What both terminal callbacks may carry beside their own fields (server-api.md 6.8, 6.9). */
export interface RunFacts extends Pointer {
  readonly branch_name?: string | null | undefined;
  readonly durable_work_dir?: string | null | undefined;
  readonly session_rollout_missing?: boolean | null | undefined;
  readonly retired_session_id?: string | null | undefined;
}

/** The columns both terminal callbacks store; an empty value never replaces a stored one. */
export function factColumns(task: TaskRow, report: RunFacts) {
  return {
    ...mergedPointer(task, report),
    branch_name: report.branch_name || task.branch_name,
    durable_work_dir: report.durable_work_dir || task.durable_work_dir,
    retired_session_id: report.retired_session_id || task.retired_session_id,
    session_missing: report.session_rollout_missing === true ? 1 : task.session_missing,
  };
}

/** The comment's id while it exists: a trigger may have been deleted during the run. */
export function existingComment(tx: Tx, id: string | null): string | null {
  if (id === null) return null;
  return one<{ id: string }>(tx.db, "SELECT id FROM comment WHERE id = :id", { id })?.id ?? null;
}
