import type { Db, SqlRow } from "../../platform/index.ts";
import type { TaskLink } from "./places.ts";
import type { ReadRollout, RolloutStatus } from "./rollout/facts.ts";
import type { Candidate } from "./walk.ts";

/** A rollout that was read, ready to be written. */
export interface ParsedFile {
  readonly candidate: Candidate;
  readonly rootId: number | null;
  readonly archived: boolean;
  readonly read: ReadRollout;
  /** Normalised working directory. */
  readonly cwd: string | null;
  readonly link: TaskLink | null;
  readonly atMs: number;
}

export interface RolloutRow {
  readonly path: string;
  readonly threadId: string | null;
  readonly dev: string;
  readonly ino: string;
  readonly size: number;
  readonly mtimeUs: number;
  readonly compressed: boolean;
  readonly archived: boolean;
  readonly status: RolloutStatus;
  /** Compressed, and the Node that took it in could not unpack it: only its name was read. */
  readonly packed: boolean;
  readonly rootId: number | null;
}

const COLUMNS = "path, root_id, thread_id, dev, ino, size, mtime_us, compressed, archived, status, parsed_bytes";
/** Which of several files of a thread counts (state-db.md 18.4): one that names it itself, live, greater, newer. */
const PREFERENCE = "status = 'ok' DESC, archived, size DESC, mtime_us DESC, path";

export function rolloutRow(db: Db, path: string): RolloutRow | null {
  const row = db.prepare(`SELECT ${COLUMNS} FROM rollout WHERE path = :path`).get({ path });
  return row === undefined ? null : toRollout(row);
}

/** The files known to carry a thread, best first. */
export function rolloutsOf(db: Db, threadId: string): RolloutRow[] {
  return db.prepare(`SELECT ${COLUMNS} FROM rollout WHERE thread_id = :threadId ORDER BY ${PREFERENCE}`).all({ threadId }).map(toRollout);
}

function toRollout(row: SqlRow): RolloutRow {
  return {
    path: String(row["path"]),
    threadId: row["thread_id"] === null ? null : String(row["thread_id"]),
    dev: String(row["dev"]),
    ino: String(row["ino"]),
    size: Number(row["size"]),
    mtimeUs: Number(row["mtime_us"]),
    compressed: row["compressed"] === 1,
    archived: row["archived"] === 1,
    status: String(row["status"]) as RolloutStatus,
    packed: row["compressed"] === 1 && row["status"] === "no_meta" && row["parsed_bytes"] === 0,
    rootId: row["root_id"] === null ? null : Number(row["root_id"]),
  };
}

/** True when the file is the one the row was made from. */
export function isUnchanged(row: RolloutRow, file: Candidate): boolean {
  return row.dev === file.dev && row.ino === file.ino && row.size === file.size && row.mtimeUs === file.mtimeUs && row.compressed === file.name.compressed;
}

/**
 * Writes what was read; inside the caller's transaction. Returns the threads whose best file is by now another one than
 * the one their row was made from, and was not read here: the caller reads that file and writes it.
 */
export function writeFile(db: Db, file: ParsedFile): string[] {
  const { candidate, read } = file;
  const before = rolloutRow(db, candidate.plainPath);
  db.prepare(
    `INSERT INTO rollout (path, root_id, thread_id, dev, ino, size, mtime_us, parsed_bytes, compressed, archived, parse_errors, status, verified_at_ms)
     VALUES (:path, :root, :thread, :dev, :ino, :size, :mtime, :parsed, :compressed, :archived, :errors, :status, :at)
     ON CONFLICT (path) DO UPDATE SET root_id = coalesce(excluded.root_id, root_id), thread_id = excluded.thread_id, dev = excluded.dev,
       ino = excluded.ino, size = excluded.size, mtime_us = excluded.mtime_us, parsed_bytes = excluded.parsed_bytes, compressed = excluded.compressed,
       archived = excluded.archived, parse_errors = excluded.parse_errors, status = excluded.status, verified_at_ms = excluded.verified_at_ms`,
  ).run({
    path: candidate.plainPath,
    root: file.rootId,
    thread: read.facts.threadId,
    dev: candidate.dev,
    ino: candidate.ino,
    size: candidate.size,
    mtime: candidate.mtimeUs,
    parsed: read.parsedBytes,
    compressed: candidate.name.compressed ? 1 : 0,
    archived: file.archived ? 1 : 0,
    errors: read.parseErrors,
    status: read.status,
    at: file.atMs,
  });
  const threads = new Set([before?.threadId ?? null, read.facts.threadId]);
  return [...threads].filter((id) => id !== null).flatMap((id) => (settleThread(db, id, file) ? [] : [id]));
}

/** Forgets a file that is gone; the same answer as `writeFile`. */
export function dropFile(db: Db, path: string): string[] {
  const row = rolloutRow(db, path);
  db.prepare("DELETE FROM rollout WHERE path = :path").run({ path });
  const ids = new Set(row?.threadId === null || row === null ? [] : [row.threadId]);
  for (const found of db.prepare("SELECT thread_id FROM thread WHERE rollout_path = :path").all({ path })) ids.add(String(found["thread_id"]));
  return [...ids].filter((id) => !settleThread(db, id, null));
}

/** Makes a thread's row follow its best file. False: that file was not the one at hand and has to be read. */
function settleThread(db: Db, threadId: string, file: ParsedFile | null): boolean {
  const rollouts = rolloutsOf(db, threadId);
  const [best] = rollouts;
  if (best === undefined) {
    db.prepare("DELETE FROM thread WHERE provider = 'codex' AND thread_id = :threadId").run({ threadId });
    return true;
  }
  if (file !== null && best.path === file.candidate.plainPath) {
    writeThread(db, threadId, file);
    return true;
  }
  const current = db.prepare("SELECT rollout_path FROM thread WHERE provider = 'codex' AND thread_id = :threadId").get({ threadId });
  const shown = rollouts.find((row) => row.path === current?.["rollout_path"]);
  // Another name of the same file says the same.
  return shown !== undefined && shown.dev === best.dev && shown.ino === best.ino && shown.archived === best.archived;
}

function writeThread(db: Db, threadId: string, file: ParsedFile): void {
  const { facts } = file.read;
  if (facts.createdMs === null) {
    // Neither content nor name says when: such a thread cannot be listed (state-db.md 3).
    db.prepare("DELETE FROM thread WHERE provider = 'codex' AND thread_id = :threadId").run({ threadId });
    return;
  }
  const updatedMs = Math.floor(file.candidate.mtimeUs / 1000);
  const values: Record<string, string | number | null> = {
    provider: "codex",
    thread_id: threadId,
    rollout_path: file.candidate.plainPath,
    created_at_ms: facts.createdMs,
    updated_at_ms: updatedMs,
    title: facts.title,
    first_user_message: facts.firstUserMessage,
    preview: facts.preview,
    cwd: file.cwd,
    source: facts.source,
    thread_source: facts.threadSource,
    originator: facts.originator,
    model_provider: facts.modelProvider,
    model: facts.model,
    reasoning_effort: facts.reasoningEffort,
    cli_version: facts.cliVersion,
    sandbox_policy: facts.sandboxPolicy,
    approval_mode: facts.approvalMode,
    tokens_used: facts.tokensUsed,
    archived: file.archived ? 1 : 0,
    // Codex moves the file and leaves its time alone: the last change is the best there is.
    archived_at_ms: file.archived ? updatedMs : null,
    git_sha: facts.gitSha,
    git_branch: facts.gitBranch,
    git_origin_url: facts.gitOriginUrl,
    agent_nickname: facts.agentNickname,
    agent_role: facts.agentRole,
    agent_path: facts.agentPath,
    forked_from_id: facts.forkedFromId,
    parent_thread_id: facts.parentThreadId,
    history_mode: facts.historyMode,
    memory_mode: facts.memoryMode,
    task_id: file.link?.taskId ?? null,
    issue_id: file.link?.issueId ?? null,
    agent_id: file.link?.agentId ?? null,
    workspace_id: file.link?.workspaceId ?? null,
  };
  const names = Object.keys(values);
  db.prepare(`INSERT OR REPLACE INTO thread (${names.join(", ")}) VALUES (${names.map((name) => `:${name}`).join(", ")})`).run(values);
}

/** Another name (a hard link) of a file whose row is known: nothing is read. The same answer as `writeFile`. */
export function writeAlias(db: Db, alias: { candidate: Candidate; twin: string; rootId: number; archived: boolean; atMs: number }): string[] {
  const { candidate } = alias;
  db.prepare(
    `INSERT OR REPLACE INTO rollout (path, root_id, thread_id, dev, ino, size, mtime_us, parsed_bytes, compressed, archived, parse_errors, status, verified_at_ms)
     SELECT :path, :root, thread_id, dev, ino, size, mtime_us, parsed_bytes, compressed, :archived, parse_errors, status, :at FROM rollout WHERE path = :twin`,
  ).run({ path: candidate.plainPath, root: alias.rootId, archived: alias.archived ? 1 : 0, at: alias.atMs, twin: alias.twin });
  const threadId = rolloutRow(db, candidate.plainPath)?.threadId ?? null;
  return threadId === null || settleThread(db, threadId, null) ? [] : [threadId];
}
