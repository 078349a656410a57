import type { SqlParams } from "../../../platform/index.ts";
import { priorityNumber } from "../../../wire/index.ts";
import type { Actor } from "../../context.ts";
import { insert, one, update } from "../../db/query.ts";
import { type AgentRow, type CommentRow, type IssueRow, type TaskRow, objectColumn, stringsColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { mayInvoke, originatorOf } from "./permission.ts";
import { findTask } from "./store.ts";

export interface EnqueueInput {
  readonly issue: IssueRow;
  readonly agentId: string;
  /** Null when the server itself starts the run. */
  readonly actor: Actor | null;
  /** Id of the comment that starts the run. */
  readonly trigger?: string;
  readonly handoffNote?: string;
  /** The squad that the agent leads in this run. */
  readonly squadId?: string;
}

/** What became of a trigger; the blocked reasons are those of `trigger_outcomes` (server-api.md 13.5.3). */
export type EnqueueOutcome =
  | { readonly kind: "queued" | "coalesced" | "deferred"; readonly task: TaskRow }
  | { readonly kind: "blocked"; readonly reason: BlockedReason };
export type BlockedReason =
  | "target_unavailable"
  | "agent_runtime_required"
  | "invocation_not_allowed"
  | "self_trigger_suppressed"
  | "already_active";

/**
 * Starts a run of an agent on an issue, within the caller's transaction: a new queued row, or a merge into the row that
 * waits already, or a follow-up behind the one that is being handed out (server-api.md 11.2).
 */
export function enqueue(tx: Tx, input: EnqueueInput): EnqueueOutcome {
  const gate = passGates(tx, input);
  if (gate.kind === "blocked") return gate;
  const trigger = input.trigger === undefined ? undefined : loadComment(tx, input.trigger);
  const waiting = pendingOf(tx, input, "queued") ?? pendingOf(tx, input, "deferred");
  if (waiting !== undefined) return { kind: "coalesced", task: merge(tx, waiting, input, trigger) };
  const dispatched = pendingOf(tx, input, "dispatched");
  if (dispatched !== undefined && trigger === undefined) return { kind: "blocked", reason: "already_active" };
  const state = dispatched === undefined ? "queued" : "deferred";
  const task = insertTask(tx, {
    ...newRow(input, gate),
    ...triggerColumns(trigger),
    status: state,
    fire_at: state === "deferred" ? tx.now : null,
  });
  return { kind: state, task };
}

/**
 * Starts a run at `fireAt` unless the task `escalates` has begun by then; under the same gates as one that starts now.
 * A second trigger for the same task merges into the row that waits, and does not put it off.
 */
export function enqueueLater(tx: Tx, input: EnqueueInput, later: { readonly escalates: string; readonly fireAt: number }): EnqueueOutcome {
  const gate = passGates(tx, input);
  if (gate.kind === "blocked") return gate;
  const trigger = input.trigger === undefined ? undefined : loadComment(tx, input.trigger);
  const sql = "SELECT * FROM task WHERE escalates_task_id = :escalates AND agent_id = :agentId AND status = 'deferred'";
  const waiting = one<TaskRow>(tx.db, sql, { escalates: later.escalates, agentId: input.agentId });
  if (waiting !== undefined) return { kind: "coalesced", task: merge(tx, waiting, input, trigger) };
  const columns = { status: "deferred", fire_at: later.fireAt, escalates_task_id: later.escalates };
  return { kind: "deferred", task: insertTask(tx, { ...newRow(input, gate), ...triggerColumns(trigger), ...columns }) };
}

type Gate = { readonly kind: "passed"; readonly runtimeId: string; readonly originator: string | null } | Extract<EnqueueOutcome, { kind: "blocked" }>;

/** What every start of a run must pass; an offline runtime is no obstacle (server-api.md 11.2). */
function passGates(tx: Tx, input: EnqueueInput): Gate {
  const agent = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id AND workspace_id = :ws", {
    id: input.agentId,
    ws: input.issue.workspace_id,
  });
  if (agent === undefined || agent.archived_at !== null) return { kind: "blocked", reason: "target_unavailable" };
  if (agent.runtime_id === null) return { kind: "blocked", reason: "agent_runtime_required" };
  if (isOwnRun(tx, input)) return { kind: "blocked", reason: "self_trigger_suppressed" };
  const originator = originatorOf(tx.db, input.actor);
  if (!mayInvoke(agent, originator)) return { kind: "blocked", reason: "invocation_not_allowed" };
  return { kind: "passed", runtimeId: agent.runtime_id, originator };
}

/** Like `enqueue`, for callers that only care whether there is a run: its row, or null when nothing was started. */
export function enqueueForIssue(tx: Tx, input: EnqueueInput): TaskRow | null {
  const outcome = enqueue(tx, input);
  return outcome.kind === "blocked" ? null : outcome.task;
}

/** Inserts a task row with the given columns and announces it when it can be claimed. Id and times are set here. */
export function insertTask(tx: Tx, columns: SqlParams): TaskRow {
  const id = tx.newId();
  insert(tx.db, "task", { id, created_at: tx.now, updated_at: tx.now, ...columns });
  const task = findTask(tx.db, id);
  if (task === undefined) throw new Error("the inserted task cannot be read back");
  if (task.status === "queued") tx.emit({ type: "task_available", runtimeId: task.runtime_id, taskId: id });
  if (task.status === "deferred" && task.fire_at !== null && task.fire_at > tx.now) tx.emit({ type: "task_deferred", runtimeId: task.runtime_id, fireAt: task.fire_at });
  return task;
}

/**
 * The one row of the (issue, agent) pair in `state`: the table allows one queued or dispatched row, and we one deferred,
 * not counting one that stands by for another agent's task.
 */
export function pendingOf(
  tx: Tx,
  pair: { readonly issue: { readonly id: string }; readonly agentId: string },
  state: "queued" | "deferred" | "dispatched",
): TaskRow | undefined {
  return one<TaskRow>(
    tx.db,
    `SELECT * FROM task WHERE issue_id = :issueId AND agent_id = :agentId AND status = :state
       AND (status <> 'deferred' OR escalates_task_id IS NULL) ORDER BY created_at, rowid LIMIT 1`,
    { issueId: pair.issue.id, agentId: pair.agentId, state },
  );
}

/** The trigger's columns of a task row; empty for a run without a comment. */
export function triggerColumns(trigger: CommentRow | undefined): SqlParams {
  if (trigger === undefined) return {};
  return { trigger_comment_id: trigger.id, trigger_summary: summaryOf(trigger.content) };
}

export function loadComment(tx: Tx, id: string): CommentRow | undefined {
  return one<CommentRow>(tx.db, "SELECT * FROM comment WHERE id = :id", { id });
}

/** The newest comment becomes the trigger, the former trigger one of the merged ones. */
function merge(tx: Tx, task: TaskRow, input: EnqueueInput, trigger: CommentRow | undefined): TaskRow {
  const patch: Record<string, string | number | null> = {
    priority: Math.max(task.priority, priorityNumber(input.issue.priority)),
    updated_at: tx.now,
  };
  if (trigger !== undefined && trigger.id !== task.trigger_comment_id) {
    const merged = [...stringsColumn(task.coalesced_comment_ids), ...(task.trigger_comment_id === null ? [] : [task.trigger_comment_id])];
    patch["coalesced_comment_ids"] = JSON.stringify([...new Set(merged)].filter((id) => id !== trigger.id));
    Object.assign(patch, triggerColumns(trigger));
  }
  if (input.handoffNote !== undefined) {
    patch["context"] = JSON.stringify({ ...objectColumn(task.context), handoff_note: input.handoffNote });
  }
  if (input.squadId !== undefined) Object.assign(patch, { is_leader_task: 1, squad_id: input.squadId });
  update(tx.db, "task", task.id, patch);
  return findTask(tx.db, task.id) ?? task;
}

function newRow(input: EnqueueInput, gate: Extract<Gate, { kind: "passed" }>): SqlParams {
  const { actor, issue } = input;
  return {
    agent_id: input.agentId,
    runtime_id: gate.runtimeId,
    workspace_id: issue.workspace_id,
    issue_id: issue.id,
    priority: priorityNumber(issue.priority),
    context: JSON.stringify(input.handoffNote === undefined ? {} : { handoff_note: input.handoffNote }),
    is_leader_task: input.squadId === undefined ? 0 : 1,
    squad_id: input.squadId ?? null,
    originator_user_id: gate.originator,
    initiator_type: actor === null ? null : actor.type,
    initiator_id: actor === null ? null : actor.type === "agent" ? (actor.agentId ?? null) : actor.userId,
  };
}

/** An agent that works on this issue does not start itself again on it (server-api.md 11.2, general gates). */
function isOwnRun(tx: Tx, input: EnqueueInput): boolean {
  const { actor } = input;
  if (actor === null || actor.type !== "agent" || actor.agentId !== input.agentId || actor.taskId === undefined) return false;
  return findTask(tx.db, actor.taskId)?.issue_id === input.issue.id;
}

function summaryOf(content: string): string {
  const line = content.replace(/\s+/g, " ").trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}
