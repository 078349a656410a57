import { createHmac, timingSafeEqual } from "node:crypto";
import { asString, isObject } from "../../../core/index.ts";
import type { EventFilter } from "../../../wire/index.ts";
import { one, update } from "../../db/query.ts";
import { HttpError, notFound } from "../../http-error.ts";
import { type AutopilotRow, type AutopilotTriggerRow, objectsColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { earlierRun, runAutopilot } from "./run.ts";

/** What somebody sent to a webhook's address. */
export interface Delivery {
  readonly payload: unknown;
  /** The sender's name for this delivery, "" when it gave none: a second one with the same name is the same. */
  readonly id: string;
  readonly event: string;
}

export type DeliveryOutcome = { readonly status: "accepted"; readonly run_id: string } | { readonly status: "ignored"; readonly reason: string };

/** The trigger behind an address; 404 `webhook not found`. */
export function findWebhook(db: Tx["db"], token: string): AutopilotTriggerRow {
  const row = one<AutopilotTriggerRow>(db, "SELECT * FROM autopilot_trigger WHERE webhook_token = :token", { token });
  if (row === undefined) throw notFound("webhook");
  return row;
}

/** 401 unless the raw body is signed with the trigger's secret; without a secret the address alone is enough. */
export function checkSignature(row: AutopilotTriggerRow, body: Buffer, signature: string): void {
  if (row.signing_secret === null) return;
  const wanted = Buffer.from(`sha256=${createHmac("sha256", row.signing_secret).update(body).digest("hex")}`);
  const given = Buffer.from(signature);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new HttpError(401, "invalid signature");
}

/**
 * Starts a run with the delivery as its payload, for the autopilot's owner. What is not meant for a run is ignored, which is
 * no error: senders retry errors and switch off addresses that answer with them (server-api.md 13.13).
 */
export function deliver(tx: Tx, row: AutopilotTriggerRow, delivery: Delivery): DeliveryOutcome {
  const autopilot = one<AutopilotRow>(tx.db, "SELECT * FROM autopilot WHERE id = :id", { id: row.autopilot_id });
  if (autopilot === undefined) throw notFound("webhook");
  const key = delivery.id === "" ? undefined : `webhook:${row.id}:${delivery.id}`;
  const ignored = (reason: string): DeliveryOutcome => ({ status: "ignored", reason });
  if (row.enabled === 0) return ignored("trigger_disabled");
  if (autopilot.status !== "active") return ignored("autopilot_not_active");
  if (!passes(row, delivery)) return ignored("event_filtered");
  if (earlierRun(tx, autopilot.id, key) !== undefined) return ignored("duplicate_delivery");
  update(tx.db, "autopilot_trigger", row.id, { last_fired_at: tx.now });
  const run = runAutopilot(tx, autopilot, { source: "webhook", triggerId: row.id, payload: delivery.payload, ...(key === undefined ? {} : { idempotencyKey: key }) });
  return { status: "accepted", run_id: run.id };
}

function passes(row: AutopilotTriggerRow, { event, payload }: Delivery): boolean {
  const filters = objectsColumn(row.event_filters) as unknown as EventFilter[];
  const body = isObject(payload) ? payload : {};
  const name = event === "" ? asString(body["event"]) : event;
  const action = asString(body["action"]);
  return filters.length === 0 || filters.some((filter) => filter.event === name && ((filter.actions ?? []).length === 0 || filter.actions?.includes(action) === true));
}
