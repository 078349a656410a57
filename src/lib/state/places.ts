import { basename } from "node:path";
import type { Db } from "../platform/index.ts";

const ROOT_KEPT_MS = 7 * 86_400_000;
const SESSION_KEPT_MS = 90 * 86_400_000;
const AT_ONCE = 500;

/** What of a change to a task concerns its environment and its session. */
export interface FollowedPatch {
  readonly env_root?: string | null;
  readonly session_id?: string | null;
  readonly agent_pid?: number | null;
  readonly phase?: string;
}

interface Row {
  readonly task_id: string;
  readonly workspace_id: string;
  readonly issue_id: string | null;
  readonly chat_session_id: string | null;
  readonly agent_id: string;
  readonly provider: string;
  readonly env_root: string | null;
  readonly work_dir: string | null;
  readonly session_id: string | null;
  readonly prior_session_id: string | null;
  readonly run_id: string;
}

/**
 * Keeps the rows of environments and sessions in step with the task they belong to, in the same transaction
 * (state-db.md 15.2): they say what a task said of itself, and outlive it.
 */
export function followTask(db: Db, taskId: string, patch: FollowedPatch, nowMs: number): void {
  const { env_root: root, session_id: session, agent_pid: pid, phase } = patch;
  if (root === undefined && session === undefined && pid !== null && phase !== "lost") return;
  const task = db
    .prepare(
      `SELECT task_id, workspace_id, issue_id, chat_session_id, agent_id, provider, env_root, work_dir, session_id, prior_session_id, run_id
       FROM task WHERE task_id = :taskId`,
    )
    .get({ taskId }) as Row | undefined;
  if (task === undefined) return;
  if (typeof root === "string" && root !== "") useRoot(db, task, root, nowMs);
  if (typeof session === "string" && session !== "") noteSession(db, task, session, nowMs);
  // Its processes are proved gone, or it was given up.
  if (pid === null || phase === "lost") leaveRoots(db, taskId);
}

function useRoot(db: Db, task: Row, path: string, now: number): void {
  const inside = task.work_dir === null || task.work_dir.startsWith(`${path}/`);
  db.prepare(
    `INSERT INTO env_root (path, kind, workspace_id, task_short_id, issue_id, chat_session_id, agent_id, provider, work_dir, codex_home,
       created_at_ms, last_used_at_ms, in_use_task_id, in_use_run_id, removed_at_ms)
     VALUES (:path, :kind, :workspace, :short, :issue, :chat, :agent, :provider, :work_dir, :codex_home, :now, :now, :task, :run, NULL)
     ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, issue_id = excluded.issue_id, chat_session_id = excluded.chat_session_id,
       agent_id = excluded.agent_id, provider = excluded.provider, work_dir = excluded.work_dir, codex_home = excluded.codex_home,
       last_used_at_ms = excluded.last_used_at_ms, in_use_task_id = excluded.in_use_task_id, in_use_run_id = excluded.in_use_run_id, removed_at_ms = NULL`,
  ).run({
    path,
    kind: inside ? "managed" : "local_directory",
    workspace: task.workspace_id,
    short: basename(path),
    issue: task.issue_id,
    chat: task.chat_session_id,
    agent: task.agent_id,
    provider: task.provider,
    work_dir: task.work_dir ?? "",
    codex_home: task.provider === "codex" ? `${path}/codex-home` : null,
    now,
    task: task.task_id,
    run: task.run_id,
  });
}

function leaveRoots(db: Db, taskId: string): void {
  db.prepare("UPDATE env_root SET in_use_task_id = NULL, in_use_run_id = NULL WHERE in_use_task_id = :taskId").run({ taskId });
}

/** A conversation that goes on under another id has given its earlier one up. */
function noteSession(db: Db, task: Row, id: string, now: number): void {
  db.prepare(
    `INSERT INTO session (provider, session_id, agent_id, issue_id, chat_session_id, work_dir, env_root, first_task_id, last_task_id, created_at_ms, last_used_at_ms)
     VALUES (:provider, :id, :agent, :issue, :chat, :work_dir, :root, :task, :task, :now, :now)
     ON CONFLICT (provider, session_id) DO UPDATE SET work_dir = excluded.work_dir, env_root = excluded.env_root, last_task_id = excluded.last_task_id,
       last_used_at_ms = excluded.last_used_at_ms, retired_reason = NULL, poisoned = 0`,
  ).run({
    provider: task.provider,
    id,
    agent: task.agent_id,
    issue: task.issue_id,
    chat: task.chat_session_id,
    work_dir: task.work_dir ?? "",
    root: task.env_root ?? "",
    task: task.task_id,
    now,
  });
  if (task.prior_session_id === null || task.prior_session_id === id) return;
  db.prepare("UPDATE session SET retired_reason = 'replaced' WHERE provider = :provider AND session_id = :prior AND retired_reason IS NULL").run({ provider: task.provider, prior: task.prior_session_id });
}

/** What became known of a session beside what its task says. */
export interface SessionFacts {
  /** Real path of the file that a resume needs. */
  readonly rolloutPath?: string;
  /** Its history is refused: every resume would fail. */
  readonly poisoned?: boolean;
  /** Why it was given up. */
  readonly retired?: string;
}

/** Adds facts to a session that is known; used again, it counts as sound until it fails anew. */
export function describeSession(db: Db, session: { readonly provider: string; readonly id: string }, facts: SessionFacts): void {
  db.prepare(
    `UPDATE session SET rollout_path = coalesce(:path, rollout_path), poisoned = max(poisoned, :poisoned), retired_reason = coalesce(:retired, retired_reason)
     WHERE provider = :provider AND session_id = :id`,
  ).run({ ...session, path: facts.rolloutPath ?? null, poisoned: facts.poisoned === true ? 1 : 0, retired: facts.retired ?? null });
}

/** What earlier runs used is free: their processes are gone. */
export function leaveRootsOfRuns(db: Db, but: string): void {
  db.prepare("UPDATE env_root SET in_use_task_id = NULL, in_use_run_id = NULL WHERE in_use_run_id <> :but").run({ but });
}

/** Environments that are not known to be removed and that nobody uses, in the order of their paths: the next piece behind `after`. */
export function knownRoots(db: Db, after = ""): string[] {
  const sql = `SELECT path FROM env_root WHERE removed_at_ms IS NULL AND in_use_task_id IS NULL AND path > :after ORDER BY path LIMIT ${AT_ONCE}`;
  return db.prepare(sql).all({ after }).map((row) => String(row["path"]));
}

/** Notes whose directories are gone. */
export function noteRemoved(db: Db, removed: readonly string[], nowMs: number): void {
  for (const path of removed) db.prepare("UPDATE env_root SET removed_at_ms = :nowMs WHERE path = :path AND in_use_task_id IS NULL").run({ path, nowMs });
}

/** Forgets what is too old to be asked for (state-db.md 21), a bounded number of rows at a time. True = there may be more. */
export function prunePlaces(db: Db, nowMs: number): boolean {
  const old = `SELECT rowid FROM env_root WHERE removed_at_ms < :limit LIMIT ${AT_ONCE}`;
  const roots = db.prepare(`DELETE FROM env_root WHERE rowid IN (${old})`).run({ limit: nowMs - ROOT_KEPT_MS }).changes;
  const unused = `SELECT rowid FROM session WHERE last_used_at_ms < :limit AND env_root NOT IN (SELECT path FROM env_root WHERE removed_at_ms IS NULL) LIMIT ${AT_ONCE}`;
  const sessions = db.prepare(`DELETE FROM session WHERE rowid IN (${unused})`).run({ limit: nowMs - SESSION_KEPT_MS }).changes;
  return roots === AT_ONCE || sessions === AT_ONCE;
}
