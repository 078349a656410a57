import { randomHex } from "../../../core/index.ts";
import type { TriggerInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import type { AutopilotTriggerRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { oneOf } from "../issue-input.ts";
import { isTimezone, nextRun, parseCron } from "./cron.ts";

const MAX_SECRET = 256;
const MAX_FILTERS = 50;
const MAX_NAME = 100;

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

/** Adds a schedule, or an address that starts runs (server-api.md 13.13). Throws 400. */
export function addTrigger(tx: Tx, autopilotId: string, input: TriggerInput): AutopilotTriggerRow {
  const id = tx.newId();
  const kind = oneOf("kind", input.kind ?? "schedule", ["schedule", "webhook"]);
  insert(tx.db, "autopilot_trigger", {
    id,
    autopilot_id: autopilotId,
    kind,
    enabled: input.enabled === false ? 0 : 1,
    ...(kind === "webhook" ? { webhook_token: newToken(), ...webhookColumns(input) } : newSchedule(tx, input)),
    label: input.label?.trim() || null,
    created_at: tx.now,
    updated_at: tx.now,
  });
  return loadTrigger(tx.db, autopilotId, id);
}

/** Partial update; whatever changes of a schedule, its next time is reckoned from now. */
export function changeTrigger(tx: Tx, row: AutopilotTriggerRow, input: TriggerInput): AutopilotTriggerRow {
  update(tx.db, "autopilot_trigger", row.id, {
    ...(row.kind === "webhook" ? webhookColumns(input) : scheduleOf(tx, { cron_expression: input.cron_expression?.trim() || row.cron_expression, timezone: input.timezone || row.timezone })),
    ...(input.enabled === undefined ? {} : { enabled: input.enabled ? 1 : 0 }),
    ...(input.label === undefined ? {} : { label: input.label?.trim() || null }),
    updated_at: tx.now,
  });
  return loadTrigger(tx.db, row.autopilot_id, row.id);
}

/** Gives a webhook a new address; the old one is unknown from now on. 400 for a schedule. */
export function rotateToken(tx: Tx, row: AutopilotTriggerRow): AutopilotTriggerRow {
  return changeWebhook(tx, row, { webhook_token: newToken() });
}

/** Sets or (with an empty text) takes away what deliveries must be signed with. */
export function setSigningSecret(tx: Tx, row: AutopilotTriggerRow, secret: string): AutopilotTriggerRow {
  if (secret.length > MAX_SECRET) throw badRequest(`signing_secret exceeds ${MAX_SECRET} characters`);
  return changeWebhook(tx, row, { signing_secret: secret === "" ? null : secret });
}

function changeWebhook(tx: Tx, row: AutopilotTriggerRow, columns: { webhook_token?: string; signing_secret?: string | null }): AutopilotTriggerRow {
  if (row.kind !== "webhook") throw badRequest("the trigger is not a webhook");
  update(tx.db, "autopilot_trigger", row.id, { ...columns, updated_at: tx.now });
  return loadTrigger(tx.db, row.autopilot_id, row.id);
}

export function removeTrigger(tx: Tx, row: AutopilotTriggerRow): void {
  run(tx.db, "DELETE FROM autopilot_trigger WHERE id = :id", { id: row.id });
}

/** Times that passed while the autopilot was paused are gone. */
export function refreshTriggers(tx: Tx, autopilotId: string): void {
  for (const row of triggersOf(tx.db, autopilotId)) if (row.kind === "schedule") update(tx.db, "autopilot_trigger", row.id, { next_run_at: scheduleOf(tx, row).next_run_at });
}

/** The schedule's columns with its next time; 400 for an expression or zone that is none. */
export function scheduleOf(tx: Tx, input: Pick<AutopilotTriggerRow, "cron_expression" | "timezone">) {
  const timezone = input.timezone ?? "UTC";
  const cron = parseCron(input.cron_expression ?? "");
  if (cron === null) throw badRequest("invalid cron_expression");
  if (!isTimezone(timezone)) throw badRequest("invalid timezone");
  const next = nextRun(cron, timezone, tx.now);
  if (next === null) throw badRequest("cron_expression never fires");
  return { cron_expression: (input.cron_expression ?? "").trim(), timezone, next_run_at: next };
}

function newSchedule(tx: Tx, input: TriggerInput) {
  if (!input.cron_expression?.trim()) throw badRequest("cron_expression is required");
  return scheduleOf(tx, { cron_expression: input.cron_expression, timezone: input.timezone || "UTC" });
}

function webhookColumns(input: TriggerInput): { provider?: string | null; event_filters?: string } {
  if (input.cron_expression || input.timezone) throw badRequest("a webhook has no schedule");
  const filters = input.event_filters ?? [];
  const names = filters.flatMap((filter) => [filter.event, ...(filter.actions ?? [])]);
  if (filters.length > MAX_FILTERS || names.length > MAX_FILTERS * 10 || names.some((name) => name.trim() === "" || name.length > MAX_NAME)) throw badRequest("invalid event_filters");
  if ((input.provider?.length ?? 0) > MAX_NAME) throw badRequest("invalid provider");
  return {
    ...(input.provider === undefined ? {} : { provider: input.provider?.trim() || null }),
    ...(input.event_filters === undefined ? {} : { event_filters: JSON.stringify(filters) }),
  };
}

/** Whoever knows it may start the autopilot: 32 random bytes. */
function newToken(): string {
  return randomHex(32);
}
