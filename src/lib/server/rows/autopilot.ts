import { parseJson } from "../../core/index.ts";
import type { Autopilot, AutopilotRun, AutopilotTrigger } from "../../wire/index.ts";
import { objectsColumn } from "./json-column.ts";
import { isoOrNull, isoSeconds } from "./time.ts";

export interface AutopilotRow {
  id: string;
  workspace_id: string;
  title: string;
  description: string | null;
  project_id: string | null;
  priority: string;
  assignee_type: "agent" | "squad";
  assignee_id: string;
  status: "active" | "paused" | "archived";
  execution_mode: "create_issue" | "run_only";
  issue_title_template: string | null;
  created_by_type: string;
  created_by_id: string;
  owner_id: string;
  last_run_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface AutopilotTriggerRow {
  id: string;
  autopilot_id: string;
  kind: "schedule" | "webhook";
  enabled: number;
  cron_expression: string | null;
  timezone: string | null;
  next_run_at: number | null;
  webhook_token: string | null;
  provider: string | null;
  signing_secret: string | null;
  event_filters: string;
  label: string | null;
  last_fired_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface AutopilotRunRow {
  id: string;
  autopilot_id: string;
  workspace_id: string;
  trigger_id: string | null;
  source: string;
  status: "pending" | "issue_created" | "running" | "skipped" | "completed" | "failed";
  issue_id: string | null;
  task_id: string | null;
  trigger_payload: string | null;
  result: string | null;
  failure_reason: string | null;
  reason_code: string | null;
  idempotency_key: string | null;
  triggered_at: number;
  completed_at: number | null;
  created_at: number;
}

/** Facts about an autopilot that stand in other tables. */
export interface AutopilotFacts {
  readonly trigger_kinds: readonly string[];
  readonly next_run_at: number | null;
  readonly last_run_status: string | null;
  readonly subscribers: readonly { readonly user_type: string; readonly user_id: string; readonly created_at: number }[];
  readonly can_write: boolean;
}

/** Autopilot as in server-api.md 13.13. */
export function autopilotWire(row: AutopilotRow, facts: AutopilotFacts): Autopilot {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    title: row.title,
    description: row.description,
    project_id: row.project_id,
    priority: row.priority,
    assignee_type: row.assignee_type,
    assignee_id: row.assignee_id,
    status: row.status,
    pause_reason: null,
    execution_mode: row.execution_mode,
    issue_title_template: row.issue_title_template,
    created_by_type: row.created_by_type,
    created_by_id: row.created_by_id,
    last_run_at: isoOrNull(row.last_run_at),
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    trigger_kinds: facts.trigger_kinds,
    next_run_at: isoOrNull(facts.next_run_at),
    last_run_status: facts.last_run_status,
    subscribers: facts.subscribers.map((one) => ({ ...one, created_at: isoSeconds(one.created_at) })),
    can_write: facts.can_write,
  };
}

/** Trigger as in server-api.md 13.13. Without `secrets` it says that there is an address, but not which. */
export function triggerWire(row: AutopilotTriggerRow, secrets: boolean): AutopilotTrigger {
  const token = secrets ? row.webhook_token : null;
  return {
    id: row.id,
    autopilot_id: row.autopilot_id,
    kind: row.kind,
    enabled: row.enabled === 1,
    cron_expression: row.cron_expression,
    timezone: row.timezone,
    next_run_at: isoOrNull(row.next_run_at),
    webhook_token: token,
    webhook_path: token === null ? null : `/api/webhooks/autopilots/${token}`,
    // A client knows best under which address it reaches this server.
    webhook_url: null,
    has_webhook_token: row.webhook_token !== null,
    provider: row.provider,
    has_signing_secret: row.signing_secret !== null,
    signing_secret_hint: row.signing_secret === null ? null : row.signing_secret.slice(-4),
    label: row.label,
    last_fired_at: isoOrNull(row.last_fired_at),
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    ...(row.kind === "webhook" ? { event_filters: objectsColumn(row.event_filters) } : {}),
  };
}

export function runWire(row: AutopilotRunRow): AutopilotRun {
  return {
    id: row.id,
    autopilot_id: row.autopilot_id,
    trigger_id: row.trigger_id,
    source: row.source,
    status: row.status,
    issue_id: row.issue_id,
    task_id: row.task_id,
    triggered_at: isoSeconds(row.triggered_at),
    completed_at: isoOrNull(row.completed_at),
    failure_reason: row.failure_reason,
    ...(row.reason_code === null ? {} : { reason_code: row.reason_code }),
    trigger_payload: row.trigger_payload === null ? null : (parseJson(row.trigger_payload) ?? null),
    result: row.result === null ? null : (parseJson(row.result) ?? null),
    created_at: isoSeconds(row.created_at),
  };
}
