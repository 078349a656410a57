import { run } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import type { Tx } from "../../transaction.ts";
import { settleTurn } from "../chat/cancelled.ts";
import { findTask } from "./store.ts";

export interface CancelFacts {
  readonly branch_name?: string | null | undefined;
  readonly durable_work_dir?: string | null | undefined;
  readonly error_message?: string | null | undefined;
  readonly failure_reason?: string | null | undefined;
}

/**
 * What a daemon says after it has wound a cancelled run down. Fills gaps of a cancelled row and never overwrites;
 * for any other row a successful no-op. Nothing more will come of a chat turn: its outcome is written (server-api.md 6.10).
 */
export function acknowledgeCancel(tx: Tx, taskId: string, facts: CancelFacts): void {
  if (findTask(tx.db, taskId) === undefined) throw notFound("task");
  run(
    tx.db,
    `UPDATE task SET branch_name = coalesce(branch_name, :branch), durable_work_dir = coalesce(durable_work_dir, :dir),
       error = coalesce(error, :error), failure_reason = coalesce(failure_reason, :reason),
       cancel_acked_at = coalesce(cancel_acked_at, :now), updated_at = :now
     WHERE id = :taskId AND status = 'cancelled'`,
    {
      taskId,
      branch: facts.branch_name || null,
      dir: facts.durable_work_dir || null,
      error: facts.error_message || null,
      reason: facts.failure_reason || null,
      now: tx.now,
    },
  );
  settleTurn(tx, taskId);
}
