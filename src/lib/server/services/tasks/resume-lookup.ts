import type { Db } from "../../../platform/index.ts";
import { all } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";
import { type ResumeChoice, type ResumeRow, chooseResume } from "./resume.ts";

const NOTHING: ResumeChoice = { sessionId: null, workDir: null, unavailable: false };

/**
 * What a claimed task continues: a retry its inherited pair, a task that must start fresh at most its own directory,
 * any other the best earlier run of the same agent on the same issue or in the same conversation (server-api.md 11.7).
 */
export function resumeFor(db: Db, task: TaskRow): ResumeChoice {
  if (task.force_fresh_session === 1) return { ...NOTHING, workDir: task.work_dir };
  if (task.session_id !== null) {
    const sameRuntime = (task.session_runtime_id ?? task.runtime_id) === task.runtime_id;
    return { sessionId: sameRuntime ? task.session_id : null, workDir: task.work_dir, unavailable: false };
  }
  if (task.issue_id === null && task.chat_session_id === null) return NOTHING;
  const choice = chooseResume(earlierSessions(db, task), task.runtime_id);
  // A retry whose run had no session yet still has the directory of that run.
  return task.work_dir === null ? choice : { ...choice, workDir: task.work_dir };
}

/** Earlier runs that have a session, newest activity first. Queued children carry their parent's: they do not count. */
function earlierSessions(db: Db, task: TaskRow): ResumeRow[] {
  const pair = { issueId: task.issue_id, chatId: task.chat_session_id, agentId: task.agent_id, id: task.id };
  const rows = all<TaskRow>(
    db,
    `SELECT * FROM task WHERE (issue_id = :issueId OR chat_session_id = :chatId) AND +agent_id = :agentId AND id <> :id AND session_id IS NOT NULL
       AND status NOT IN ('queued', 'deferred', 'dispatched')
     ORDER BY coalesce(completed_at, started_at, dispatched_at, created_at) DESC, rowid DESC`,
    pair,
  );
  const retired = retiredSessions(db, task);
  return rows.map((row) => resumeRow(row, retired));
}

/** The session of one earlier run if a run on `runtimeId` may go on with it: judged as every other one (server-api.md 11.8). */
export function safeSession(db: Db, task: TaskRow, runtimeId: string): string | null {
  if (task.session_id === null) return null;
  return chooseResume([resumeRow(task, retiredSessions(db, task))], runtimeId).sessionId;
}

// `+`: found by the issue or the conversation. By the agent, each claim would look through all it has ever done.

/** Sessions that a run of the same agent on the same thing has given up. */
function retiredSessions(db: Db, task: TaskRow): ReadonlySet<string> {
  const sql = `SELECT retired_session_id AS id FROM task
    WHERE (issue_id = :issueId OR chat_session_id = :chatId) AND +agent_id = :agentId AND retired_session_id IS NOT NULL`;
  const pair = { issueId: task.issue_id, chatId: task.chat_session_id, agentId: task.agent_id };
  return new Set(all<{ id: string }>(db, sql, pair).map((row) => row.id));
}

function resumeRow(row: TaskRow, retired: ReadonlySet<string>): ResumeRow {
  return {
    status: row.status,
    failureReason: row.failure_reason,
    error: row.error,
    runtimeId: row.session_runtime_id ?? row.runtime_id,
    sessionId: row.session_id ?? "",
    workDir: row.work_dir,
    sessionLost: row.session_missing === 1 || retired.has(row.session_id ?? ""),
  };
}
