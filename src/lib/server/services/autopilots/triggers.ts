import type { TriggerInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import type { AutopilotTriggerRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { isTimezone, nextRun, parseCron } from "./cron.ts";

export function triggersOf(db: Tx["db"], autopilotId: string): AutopilotTriggerRow[] {
  const sql = "SELECT * FROM autopilot_trigger WHERE autopilot_id = :autopilotId ORDER BY created_at, rowid";
  return all<AutopilotTriggerRow>(db, sql, { autopilotId });
}

/** 404 `trigger not found`. */
export function loadTrigger(db: Tx["db"], autopilotId: string, id: string): AutopilotTriggerRow {
  const sql = "SELECT * FROM autopilot_trigger WHERE id = :id AND autopilot_id = :autopilotId";
  const row = one<AutopilotTriggerRow>(db, sql, { id, autopilotId });
  if (row === undefined) throw notFound("trigger");
  return row;
}

/** Adds a schedule (server-api.md 13.13). Webhooks need a server that others can reach: 400. */
export function addTrigger(tx: Tx, autopilotId: string, input: TriggerInput): AutopilotTriggerRow {
  if ((input.kind ?? "schedule") !== "schedule") throw badRequest("this server has schedule triggers only");
  if (!input.cron_expression?.trim()) throw badRequest("cron_expression is required");
  const id = tx.newId();
  const schedule = scheduleOf(tx, { cron_expression: input.cron_expression, timezone: input.timezone || "UTC" });
  insert(tx.db, "autopilot_trigger", {
    id,
    autopilot_id: autopilotId,
    kind: "schedule",
    enabled: input.enabled === false ? 0 : 1,
    ...schedule,
    label: input.label?.trim() || null,
    created_at: tx.now,
    updated_at: tx.now,
  });
  return loadTrigger(tx.db, autopilotId, id);
}

/** Partial update; whatever changes, the next time is reckoned from now. */
export function changeTrigger(tx: Tx, row: AutopilotTriggerRow, input: TriggerInput): AutopilotTriggerRow {
  const schedule = scheduleOf(tx, {
    cron_expression: input.cron_expression?.trim() || row.cron_expression,
    timezone: input.timezone || row.timezone,
  });
  update(tx.db, "autopilot_trigger", row.id, {
    ...schedule,
    ...(input.enabled === undefined ? {} : { enabled: input.enabled ? 1 : 0 }),
    ...(input.label === undefined ? {} : { label: input.label?.trim() || null }),
    updated_at: tx.now,
  });
  return loadTrigger(tx.db, row.autopilot_id, row.id);
}

export function removeTrigger(tx: Tx, row: AutopilotTriggerRow): void {
  run(tx.db, "DELETE FROM autopilot_trigger WHERE id = :id", { id: row.id });
}

/** Times that passed while the autopilot was paused are gone. */
export function refreshTriggers(tx: Tx, autopilotId: string): void {
  for (const row of triggersOf(tx.db, autopilotId)) update(tx.db, "autopilot_trigger", row.id, { next_run_at: scheduleOf(tx, row).next_run_at });
}

/** The schedule's columns with its next time; 400 for an expression or zone that is none. */
export function scheduleOf(tx: Tx, input: { readonly cron_expression: string; readonly timezone: string }) {
  const cron = parseCron(input.cron_expression);
  if (cron === null) throw badRequest("invalid cron_expression");
  if (!isTimezone(input.timezone)) throw badRequest("invalid timezone");
  const next = nextRun(cron, input.timezone, tx.now);
  if (next === null) throw badRequest("cron_expression never fires");
  return { cron_expression: input.cron_expression.trim(), timezone: input.timezone, next_run_at: next };
}
