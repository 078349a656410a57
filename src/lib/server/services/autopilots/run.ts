import { priorityNumber } from "../../../wire/index.ts";
import type { Actor } from "../../context.ts";
import { all, insert, one, update } from "../../db/query.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import type { AutopilotRow, AutopilotRunRow, IssueRow, TaskRow, WorkspaceRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { createIssue } from "../issue-write.ts";
import { subscribe } from "../issues.ts";
import { activeSquad } from "../squads/leading.ts";
import { type DetachedRefusal, enqueueDetached } from "../tasks/detached.ts";
import { OPEN_STATES, sqlStates } from "../tasks/states.ts";

export interface Firing {
  readonly source: "manual" | "schedule" | "webhook" | "api";
  readonly triggerId?: string;
  readonly payload?: unknown;
  readonly idempotencyKey?: string;
  /** Who asked for it; schedules and webhooks run for the autopilot's owner. */
  readonly actor?: Actor;
}

const REASONS: Readonly<Record<DetachedRefusal | "already_active", string>> = {
  target_unavailable: "the agent is archived or does not exist",
  agent_runtime_required: "the agent has no runtime",
  runtime_offline: "the agent's runtime is offline",
  invocation_not_allowed: "the agent may not be started for this person",
  already_active: "the previous run has not ended",
};

/**
 * Runs an autopilot once: an issue for its assignee, or a run of its own. What keeps it from running is an outcome of the
 * run, not an error (server-api.md 13.13). The same idempotency key answers the same run.
 */
export function runAutopilot(tx: Tx, autopilot: AutopilotRow, firing: Firing): AutopilotRunRow {
  if (autopilot.status !== "active") throw badRequest("autopilot is not active");
  const known = earlierRun(tx, autopilot.id, firing.idempotencyKey);
  if (known !== undefined) return known;
  const id = tx.newId();
  insert(tx.db, "autopilot_run", {
    id,
    autopilot_id: autopilot.id,
    workspace_id: autopilot.workspace_id,
    trigger_id: firing.triggerId ?? null,
    source: firing.source,
    status: "pending",
    trigger_payload: firing.payload === undefined ? null : JSON.stringify(firing.payload),
    idempotency_key: firing.idempotencyKey ?? null,
    triggered_at: tx.now,
    created_at: tx.now,
  });
  update(tx.db, "autopilot", autopilot.id, { last_run_at: tx.now });
  const outcome = autopilot.execution_mode === "create_issue" ? writeIssue(tx, autopilot, id, firing) : startRun(tx, autopilot, id, firing);
  update(tx.db, "autopilot_run", id, outcome);
  return loadRun(tx, id);
}

type Outcome = Partial<Pick<AutopilotRunRow, "status" | "issue_id" | "task_id" | "completed_at" | "failure_reason" | "reason_code">>;

function writeIssue(tx: Tx, autopilot: AutopilotRow, runId: string, firing: Firing): Outcome {
  const workspace = one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :id", { id: autopilot.workspace_id });
  if (workspace === undefined) throw new Error("the autopilot's workspace is gone");
  const actor: Actor = firing.actor ?? { type: "member", userId: autopilot.owner_id, workspaceId: workspace.id };
  try {
    const issue = createIssue(tx, { workspace, role: "member", actor }, {
      title: titleOf(autopilot, tx.now),
      ...(autopilot.description === null ? {} : { description: autopilot.description }),
      priority: autopilot.priority,
      assignee_type: autopilot.assignee_type,
      assignee_id: autopilot.assignee_id,
      ...(autopilot.project_id === null ? {} : { project_id: autopilot.project_id }),
      // The same title every day is what a schedule is for.
      allow_duplicate: true,
    });
    update(tx.db, "issue", issue.id, { origin_type: "autopilot", origin_id: runId });
    subscribeAll(tx, autopilot, issue);
    return { status: "issue_created", issue_id: issue.id, task_id: taskOf(tx, issue)?.id ?? null, completed_at: tx.now };
  } catch (error) {
    // What refuses the issue refuses it before a row is written.
    if (!(error instanceof HttpError) || error.status >= 500) throw error;
    return { status: "failed", failure_reason: error.message, reason_code: "target_unavailable", completed_at: tx.now };
  }
}

function startRun(tx: Tx, autopilot: AutopilotRow, runId: string, firing: Firing): Outcome {
  const active = `SELECT 1 FROM task t JOIN autopilot_run r ON r.id = t.autopilot_run_id
    WHERE r.autopilot_id = :id AND t.status IN (${sqlStates(OPEN_STATES)}) LIMIT 1`;
  if (one(tx.db, active, { id: autopilot.id }) !== undefined) {
    return { status: "skipped", reason_code: "already_active", failure_reason: REASONS.already_active, completed_at: tx.now };
  }
  const squad = autopilot.assignee_type === "squad" ? activeSquad(tx.db, autopilot.workspace_id, autopilot.assignee_id) : undefined;
  const outcome = enqueueDetached(tx, {
    agentId: squad?.leader_id ?? autopilot.assignee_id,
    workspaceId: autopilot.workspace_id,
    actor: firing.actor ?? null,
    ...(firing.actor === undefined ? { originator: autopilot.owner_id } : {}),
    columns: {
      autopilot_run_id: runId,
      priority: priorityNumber(autopilot.priority),
      squad_id: squad?.id ?? null,
      is_leader_task: squad === undefined ? 0 : 1,
      max_attempts: 1,
    },
  });
  if (outcome.kind === "queued") return { task_id: outcome.task.id };
  return { status: "failed", reason_code: outcome.reason, failure_reason: REASONS[outcome.reason], completed_at: tx.now };
}

/** `{{date}}` and `{{title}}` in the template stand for the day (UTC) and the autopilot's title. */
function titleOf(autopilot: AutopilotRow, now: number): string {
  const template = autopilot.issue_title_template?.trim() || autopilot.title;
  const values: Readonly<Record<string, string>> = { date: new Date(now).toISOString().slice(0, 10), title: autopilot.title };
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole);
}

function subscribeAll(tx: Tx, autopilot: AutopilotRow, issue: IssueRow): void {
  const sql = "SELECT user_id FROM autopilot_subscriber WHERE autopilot_id = :id AND user_type = 'member'";
  for (const { user_id: userId } of all<{ user_id: string }>(tx.db, sql, { id: autopilot.id })) subscribe(tx, issue.id, "member", userId, "autopilot");
}

function taskOf(tx: Tx, issue: IssueRow): TaskRow | undefined {
  return one<TaskRow>(tx.db, "SELECT * FROM task WHERE issue_id = :id ORDER BY created_at DESC, rowid DESC LIMIT 1", { id: issue.id });
}

/** The run that an earlier delivery or request with this key started. */
export function earlierRun(tx: Tx, autopilotId: string, key: string | undefined): AutopilotRunRow | undefined {
  if (key === undefined) return undefined;
  return one<AutopilotRunRow>(tx.db, "SELECT * FROM autopilot_run WHERE autopilot_id = :autopilotId AND idempotency_key = :key", { autopilotId, key });
}

function loadRun(tx: Tx, id: string): AutopilotRunRow {
  const row = one<AutopilotRunRow>(tx.db, "SELECT * FROM autopilot_run WHERE id = :id", { id });
  if (row === undefined) throw new Error("the autopilot's run cannot be read back");
  return row;
}
