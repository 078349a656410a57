import { isObject, parseJson } from "../../core/index.ts";
import { isoNanos, isoOrNull, isoSeconds } from "./time.ts";
import { objectColumn, stringsColumn } from "./json-column.ts";

export type TaskStatus =
  | "queued"
  | "deferred"
  | "dispatched"
  | "waiting_local_directory"
  | "running"
  | "completed"
  | "failed"
  | "cancelled";

export interface TaskRow {
  id: string;
  agent_id: string;
  runtime_id: string;
  workspace_id: string;
  issue_id: string | null;
  chat_session_id: string | null;
  autopilot_run_id: string | null;
  status: TaskStatus;
  priority: number;
  trigger_comment_id: string | null;
  coalesced_comment_ids: string;
  trigger_summary: string;
  context: string;
  is_leader_task: number;
  squad_id: string | null;
  originator_user_id: string | null;
  initiator_type: string | null;
  initiator_id: string | null;
  attempt: number;
  max_attempts: number;
  parent_task_id: string | null;
  rerun_of_task_id: string | null;
  force_fresh_session: number;
  session_id: string | null;
  session_runtime_id: string | null;
  retired_session_id: string | null;
  work_dir: string | null;
  durable_work_dir: string | null;
  branch_name: string | null;
  session_missing: number;
  result: string | null;
  error: string | null;
  failure_reason: string | null;
  wait_reason: string | null;
  cancel_acked_at: number | null;
  fire_at: number | null;
  escalates_task_id: string | null;
  chat_outcome: "restore" | "keep" | null;
  dispatched_at: number | null;
  prepare_lease_expires_at: number | null;
  started_at: number | null;
  completed_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface TaskMessageRow {
  task_id: string;
  seq: number;
  type: string;
  tool: string | null;
  content: string | null;
  input: string | null;
  output: string | null;
  created_at: number;
}

export interface TaskUsageRow {
  task_id: string;
  provider: string;
  model: string;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  cost_usd_ticks: number | null;
  created_at: number;
  updated_at: number;
}

/** True for a run that turns a person's sentence into an issue; what it was asked is in its context. */
export function isQuickCreate(row: TaskRow): boolean {
  return quickCreateOf(row) !== null;
}

/** The request of a quick create, or null for any other task. */
export function quickCreateOf(row: TaskRow): Record<string, unknown> | null {
  const value = objectColumn(row.context)["quick_create"];
  return isObject(value) ? value : null;
}

export function taskKind(row: TaskRow): "comment" | "autopilot" | "chat" | "quick_create" | "direct" {
  if (row.chat_session_id !== null) return "chat";
  if (row.trigger_comment_id !== null) return "comment";
  if (row.autopilot_run_id !== null) return "autopilot";
  return isQuickCreate(row) ? "quick_create" : "direct";
}

/** The row form of a task, as callbacks and user routes answer it (server-api.md 5.4, last paragraph). */
export function taskWire(row: TaskRow, usage?: readonly TaskUsageRow[]) {
  const context = objectColumn(row.context);
  return {
    id: row.id,
    agent_id: row.agent_id,
    runtime_id: row.runtime_id,
    workspace_id: row.workspace_id,
    issue_id: row.issue_id ?? "",
    status: row.status,
    priority: row.priority,
    kind: taskKind(row),
    created_at: isoSeconds(row.created_at),
    dispatched_at: isoOrNull(row.dispatched_at),
    started_at: isoOrNull(row.started_at),
    completed_at: isoOrNull(row.completed_at),
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    ...present("parent_task_id", row.parent_task_id),
    ...present("rerun_of_task_id", row.rerun_of_task_id),
    ...present("trigger_comment_id", row.trigger_comment_id),
    ...present("trigger_summary", row.trigger_summary),
    coalesced_comment_ids: stringsColumn(row.coalesced_comment_ids),
    ...(typeof context["handoff_note"] === "string" ? { handoff_note: context["handoff_note"] } : {}),
    result: row.result === null ? null : (parseJson(row.result) ?? null),
    error: row.error,
    ...present("failure_reason", row.failure_reason),
    ...present("wait_reason", row.wait_reason),
    ...present("session_id", row.session_id),
    ...present("work_dir", row.work_dir),
    ...present("durable_work_dir", row.durable_work_dir),
    ...present("branch_name", row.branch_name),
    ...(usage === undefined ? {} : { usage: usage.map(usageWire) }),
  };
}

/** One stored message of a run (server-api.md 6.5). */
export function taskMessageWire(row: TaskMessageRow, issueId: string | null) {
  return {
    task_id: row.task_id,
    ...present("issue_id", issueId),
    seq: row.seq,
    type: row.type,
    ...present("tool", row.tool),
    ...present("content", row.content),
    ...(row.input === null ? {} : { input: parseJson(row.input) ?? null }),
    ...present("output", row.output),
    created_at: isoNanos(row.created_at),
  };
}

function usageWire(row: TaskUsageRow) {
  return {
    provider: row.provider,
    model: row.model,
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    cache_read_tokens: row.cache_read_tokens,
    cache_write_tokens: row.cache_write_tokens,
    ...(row.cost_usd_ticks === null ? {} : { cost_usd_ticks: row.cost_usd_ticks }),
  };
}

/** The key only when there is something to say. */
function present<K extends string>(key: K, value: string | null): Record<K, string> | Record<string, never> {
  return value === null || value === "" ? {} : ({ [key]: value } as Record<K, string>);
}
