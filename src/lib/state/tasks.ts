import { MulticaError } from "../core/index.ts";
import type { Db, ProcessIdentity, SqlRow, SqlValue } from "../platform/index.ts";
import { followTask, leaveRootsOfRuns } from "./places.ts";

const TASK_PHASES = ["claimed", "preparing", "waiting_local_directory", "running", "reporting", "done", "lost"] as const;
export type TaskPhase = (typeof TASK_PHASES)[number];
export type TerminalKind = "complete" | "fail" | "cancelled";

/** One task of this machine, as `state_1.sqlite` holds it (state-db.md 15.2): ids and facts, never a prompt or a token. */
export interface TaskRecord {
  readonly task_id: string;
  readonly workspace_id: string;
  readonly runtime_id: string;
  readonly agent_id: string;
  readonly issue_id: string | null;
  readonly chat_session_id: string | null;
  readonly autopilot_run_id: string | null;
  readonly provider: string;
  readonly phase: TaskPhase;
  readonly env_root: string | null;
  readonly work_dir: string | null;
  readonly session_id: string | null;
  readonly prior_session_id: string | null;
  readonly agent_pid: number | null;
  readonly agent_start_key: string | null;
  readonly agent_boot_id: string | null;
  readonly agent_pgid: number | null;
  readonly next_seq: number;
  readonly acked_seq: number;
  readonly dropped_batches: number;
  readonly terminal_kind: TerminalKind | null;
  /** SHA-256 of the task's token: a later daemon knows the agent by it. */
  readonly token_hash: string | null;
  /** The exec host of the agent's process; null for a child of the daemon. */
  readonly agent_host: string | null;
  /** Up to where that host's log is in the outbox: record, message, and characters of text that were held back. */
  readonly log_seq: number;
  readonly log_message: number;
  readonly log_held: number;
  readonly run_id: string;
  readonly claimed_at_ms: number;
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly error: string | null;
}

type Required = "task_id" | "workspace_id" | "runtime_id" | "agent_id" | "provider";

/** What the claim loop knows; phase, run and time of the claim are filled in. */
export type NewTask = Pick<TaskRecord, Required> & Partial<Omit<TaskRecord, Required | "run_id">>;
export type TaskPatch = Partial<Omit<TaskRecord, "task_id" | "run_id">>;

/** A task of an earlier run whose agent may still live. */
export interface LeftoverAgent {
  readonly taskId: string;
  /** Null when the agent's process was never written down. */
  readonly identity: ProcessIdentity | null;
  readonly envRoot: string | null;
}

const COLUMNS = [
  "task_id workspace_id runtime_id agent_id issue_id chat_session_id autopilot_run_id provider phase env_root work_dir session_id",
  "prior_session_id agent_pid agent_start_key agent_boot_id agent_pgid next_seq acked_seq dropped_batches terminal_kind run_id",
  "claimed_at_ms started_at_ms ended_at_ms error token_hash agent_host log_seq log_message log_held",
].flatMap((line) => line.split(" "));
const SELECT = `SELECT ${COLUMNS.join(", ")} FROM task`;

/** Inserts a claimed task; one that is delivered a second time (same id) starts over. */
export function insertTask(db: Db, task: NewTask, defaults: { runId: string; nowMs: number }): void {
  const row: Record<string, SqlValue> = {
    phase: "claimed",
    claimed_at_ms: defaults.nowMs,
    ...given(task),
    run_id: defaults.runId,
  };
  const columns = Object.keys(row);
  db.prepare("DELETE FROM task WHERE task_id = :task_id").run({ task_id: task.task_id });
  db.prepare(`INSERT INTO task (${columns.join(", ")}) VALUES (${columns.map((column) => `:${column}`).join(", ")})`).run(row);
}

/** Makes a running task of an earlier run this run's: its agent outlived that daemon. False when it does not run any more. */
export function adoptTask(db: Db, taskId: string, runId: string): boolean {
  return db.prepare("UPDATE task SET run_id = :run WHERE task_id = :id AND phase = 'running'").run({ run: runId, id: taskId }).changes === 1;
}

/** False when there is no such task. Its environment's and its session's rows follow. */
export function updateTask(db: Db, taskId: string, patch: TaskPatch, nowMs: number): boolean {
  const row = given(patch);
  const columns = Object.keys(row);
  if (columns.length === 0) return getTask(db, taskId) !== null;
  const assignments = columns.map((column) => `${column} = :${column}`).join(", ");
  const found = db.prepare(`UPDATE task SET ${assignments} WHERE task_id = :where_id`).run({ ...row, where_id: taskId }).changes === 1;
  if (found) followTask(db, taskId, patch, nowMs);
  return found;
}

function given(values: Readonly<Record<string, unknown>>): Record<string, SqlValue> {
  const row: Record<string, SqlValue> = {};
  for (const [column, value] of Object.entries(values)) {
    if (value === undefined) continue;
    // The names become SQL: nothing but a column may pass.
    if (!COLUMNS.includes(column)) throw new MulticaError("bug", `not a column of task: ${column}`);
    row[column] = value as SqlValue;
  }
  return row;
}

export function getTask(db: Db, taskId: string): TaskRecord | null {
  const row = db.prepare(`${SELECT} WHERE task_id = :task_id`).get({ task_id: taskId });
  return row === undefined ? null : record(row);
}

/** Tasks in order of their claim; with `phase`, only those in it. */
export function listTasks(db: Db, filter: { readonly phase?: TaskPhase } = {}): TaskRecord[] {
  const order = "ORDER BY claimed_at_ms, task_id";
  const rows =
    filter.phase === undefined ? db.prepare(`${SELECT} ${order}`).all() : db.prepare(`${SELECT} WHERE phase = :phase ${order}`).all({ phase: filter.phase });
  return rows.map(record);
}

function record(row: SqlRow): TaskRecord {
  // STRICT columns: the file cannot hold other types than the schema names.
  return row as unknown as TaskRecord;
}

/** Tasks of other runs than this one that may have left processes (state-db.md 17, step 4). */
export function leftoverAgents(db: Db, runId: string): LeftoverAgent[] {
  const rows = db
    .prepare(
      // A reported task keeps its agent's process in its row until that is proved gone.
      `${SELECT} WHERE run_id <> :run AND (phase IN ('preparing', 'running', 'reporting') OR (phase = 'done' AND agent_pid IS NOT NULL))
       ORDER BY claimed_at_ms, task_id`,
    )
    .all({ run: runId });
  return rows.map(record).map((task) => {
    const known = task.agent_pid !== null && task.agent_start_key !== null && task.agent_boot_id !== null;
    const identity = known ? { pid: task.agent_pid, startKey: task.agent_start_key, bootId: task.agent_boot_id } : null;
    return { taskId: task.task_id, identity, envRoot: task.env_root };
  });
}

/** The task has a terminal report in the outbox: its work is done, only the server does not know it yet. */
const REPORT_WAITS = "phase = 'reporting' AND EXISTS (SELECT 1 FROM outbox WHERE lane = task_id AND kind IN ('complete', 'fail') AND state <> 'dead')";

/**
 * Ends the tasks of earlier runs: their processes are gone, nobody works on them (step 6). One whose terminal report is in
 * the outbox stays as it is. Returns the tasks that were lost.
 */
export function markLost(db: Db, runId: string, nowMs: number): TaskRecord[] {
  const open = `run_id <> :run AND phase IN ('claimed', 'preparing', 'waiting_local_directory', 'running', 'reporting') AND NOT (${REPORT_WAITS})`;
  const lost = db.prepare(`${SELECT} WHERE ${open} ORDER BY claimed_at_ms, task_id`).all({ run: runId }).map(record);
  db.prepare(`UPDATE task SET phase = 'lost', ended_at_ms = coalesce(ended_at_ms, :now) WHERE ${open}`).run({ run: runId, now: nowMs });
  leaveRootsOfRuns(db, runId);
  db.prepare("UPDATE task SET agent_pid = NULL WHERE run_id <> :run AND phase = 'done' AND agent_pid IS NOT NULL").run({ run: runId });
  return lost;
}
