import { errorText } from "../../../core/index.ts";
import type { ServerContext } from "../../context.ts";
import { all, one, update } from "../../db/query.ts";
import type { AutopilotRow, AutopilotTriggerRow } from "../../rows/index.ts";
import { inTransaction } from "../../transaction.ts";
import { runAutopilot } from "./run.ts";
import { scheduleOf } from "./triggers.ts";

/** Schedules have minutes: looking this often is early enough. */
const TICK_MS = 10_000;

/**
 * Fires schedules that are due, on the server's clock. One that was missed while nobody looked (the machine slept, the
 * server was stopped) fires once, and its next time is reckoned from now. Returns the function that ends it.
 */
export function startScheduler(ctx: ServerContext): () => void {
  return ctx.clock.every(TICK_MS, () => {
    try {
      for (const id of dueTriggers(ctx)) fire(ctx, id);
    } catch (error) {
      ctx.logger.error("schedules not looked at", { error: errorText(error) });
    }
  });
}

function dueTriggers(ctx: ServerContext): string[] {
  const sql = `SELECT t.id FROM autopilot_trigger t JOIN autopilot a ON a.id = t.autopilot_id
    WHERE t.enabled = 1 AND t.next_run_at <= :now AND a.status = 'active' ORDER BY t.next_run_at, t.rowid`;
  return all<{ id: string }>(ctx.db, sql, { now: ctx.clock.now() }).map((row) => row.id);
}

function fire(ctx: ServerContext, triggerId: string): void {
  try {
    inTransaction(ctx, (tx) => {
      const trigger = one<AutopilotTriggerRow>(tx.db, "SELECT * FROM autopilot_trigger WHERE id = :triggerId", { triggerId });
      const autopilot = trigger && one<AutopilotRow>(tx.db, "SELECT * FROM autopilot WHERE id = :id", { id: trigger.autopilot_id });
      if (trigger === undefined || autopilot === undefined) return;
      update(tx.db, "autopilot_trigger", trigger.id, { next_run_at: scheduleOf(tx, trigger).next_run_at, last_fired_at: tx.now });
      runAutopilot(tx, autopilot, { source: "schedule", triggerId: trigger.id });
    });
  } catch (error) {
    ctx.logger.error("schedule could not be fired", { trigger: triggerId, error: errorText(error) });
  }
}
