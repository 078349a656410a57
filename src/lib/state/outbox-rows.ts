import { crc32 } from "node:zlib";
import type { Db, SqlRow } from "../platform/index.ts";

/** What a report says; the calls are those of state-db.md 17.1. */
export type ReportKind = "messages" | "session" | "usage" | "complete" | "fail";

export type EntryState = "queued" | "inflight" | "ambiguous";

/**
 * One report on its way to the server. The daemon works on these objects; the file follows. `id` is null while the entry
 * is only in memory, `body` is null while it is only in the file.
 */
export interface OutboxEntry {
  id: number | null;
  /** The task. Reports of one lane are sent in order, one at a time. */
  readonly lane: string;
  kind: ReportKind;
  /** JSON. */
  body: string | null;
  /** Size of the body in bytes. */
  bytes: number;
  firstSeq: number | null;
  lastSeq: number | null;
  state: EntryState;
  attempts: number;
  nextAttemptMs: number;
  readonly createdMs: number;
  lastStatus: number | null;
  lastError: string | null;
  /** Delivered, dropped or dead: a write that still waits must not bring it back. */
  gone: boolean;
}

const LOG_ROWS = 1000;
/** After this a report nobody took is given up. */
const REPORT_KEPT_MS = 7 * 86_400_000;
const DEAD_KEPT_MS = 7 * 86_400_000;
const PRUNE_AT_ONCE = 500;

/** A later one of these replaces an earlier one that still waits. */
function dedupeKey(entry: OutboxEntry): string | null {
  switch (entry.kind) {
    case "messages":
      return null;
    case "complete":
    case "fail":
      return `terminal:${entry.lane}`;
    default:
      return `${entry.kind}:${entry.lane}`;
  }
}

/** Writes a new entry; returns its id. An older row with the same key (of a task delivered twice) gives way. */
export function insertEntry(db: Db, entry: OutboxEntry): number {
  const key = dedupeKey(entry);
  if (key !== null) db.prepare("UPDATE outbox SET dedupe_key = NULL WHERE dedupe_key = :key").run({ key });
  const terminal = entry.kind === "complete" || entry.kind === "fail";
  return db
    .prepare(
      `INSERT INTO outbox (lane, kind, path, body, body_bytes, body_crc, first_seq, last_seq, dedupe_key, state, attempts, next_attempt_ms, created_at_ms, expires_at_ms)
       VALUES (:lane, :kind, :path, :body, :bytes, :crc, :first, :last, :key, :state, :attempts, :next, :created, :expires)`,
    )
    .run({
      lane: entry.lane,
      kind: entry.kind,
      path: `/api/daemon/tasks/${entry.lane}/${entry.kind}`,
      body: entry.body ?? "",
      bytes: entry.bytes,
      crc: crc32(entry.body ?? ""),
      first: entry.firstSeq,
      last: entry.lastSeq,
      key,
      state: entry.state,
      attempts: entry.attempts,
      next: entry.nextAttemptMs,
      created: entry.createdMs,
      expires: terminal ? entry.createdMs + REPORT_KEPT_MS : null,
    }).lastId;
}

/** Brings the row in line with the entry; the body too when `withBody`. */
export function updateEntry(db: Db, id: number, entry: OutboxEntry, withBody: boolean): void {
  db.prepare(
    `UPDATE outbox SET state = :state, attempts = :attempts, next_attempt_ms = :next, last_status = :status, last_error = :error WHERE id = :id`,
  ).run({ id, state: entry.state, attempts: entry.attempts, next: entry.nextAttemptMs, status: entry.lastStatus, error: entry.lastError });
  if (!withBody || entry.body === null) return;
  db.prepare("UPDATE outbox SET kind = :kind, body = :body, body_bytes = :bytes, body_crc = :crc, first_seq = :first, last_seq = :last WHERE id = :id").run({
    id,
    kind: entry.kind,
    body: entry.body,
    bytes: entry.bytes,
    crc: crc32(entry.body),
    first: entry.firstSeq,
    last: entry.lastSeq,
  });
}

export function markEntry(db: Db, id: number, state: EntryState): void {
  db.prepare("UPDATE outbox SET state = :state WHERE id = :id").run({ id, state });
}

export function deleteEntry(db: Db, id: number): void {
  db.prepare("DELETE FROM outbox WHERE id = :id").run({ id });
}

/** Keeps the body for `state status --dead`, out of the way of everything else. */
export function buryEntry(db: Db, id: number, facts: { readonly status: number | null; readonly error: string; readonly nowMs: number }): void {
  db.prepare(
    `UPDATE outbox SET state = 'dead', dedupe_key = NULL, last_status = :status, last_error = :error, expires_at_ms = :expires WHERE id = :id`,
  ).run({ id, status: facts.status, error: facts.error, expires: facts.nowMs + DEAD_KEPT_MS });
}

/** What became of an entry; the log keeps the last 1000, without bodies. */
export function logEntry(db: Db, entry: OutboxEntry, result: string, status: number | null, nowMs: number): void {
  const id = db
    .prepare(
      `INSERT INTO outbox_log (outbox_id, lane, kind, result, status, attempts, at_ms) VALUES (:outbox, :lane, :kind, :result, :status, :attempts, :now)`,
    )
    .run({ outbox: entry.id ?? 0, lane: entry.lane, kind: entry.kind, result, status, attempts: entry.attempts, now: nowMs }).lastId;
  db.prepare("DELETE FROM outbox_log WHERE id <= :limit").run({ limit: id - LOG_ROWS });
}

/**
 * Step 5 of the start: what was being sent when the process died may have arrived. So may a terminal report and the first
 * messages of a lane, whatever their rows say: a full disk can keep the note of it from being written.
 */
export function loadEntries(db: Db): OutboxEntry[] {
  db.prepare("UPDATE outbox SET state = 'ambiguous' WHERE state = 'inflight'").run();
  db.prepare(
    `UPDATE outbox SET state = 'ambiguous' WHERE state = 'queued' AND (kind IN ('complete', 'fail') OR id IN
       (SELECT min(id) FROM outbox WHERE kind = 'messages' AND state <> 'dead' GROUP BY lane))`,
  ).run();
  const rows = db
    .prepare(
      `SELECT id, lane, kind, body_bytes, first_seq, last_seq, state, attempts, created_at_ms, last_status, last_error
       FROM outbox WHERE state <> 'dead' AND kind <> 'result' ORDER BY id`,
    )
    .all();
  return rows.map(entryOf);
}

function entryOf(row: SqlRow): OutboxEntry {
  return {
    id: Number(row["id"]),
    lane: String(row["lane"]),
    kind: row["kind"] as ReportKind,
    body: null,
    bytes: Number(row["body_bytes"]),
    firstSeq: row["first_seq"] as number | null,
    lastSeq: row["last_seq"] as number | null,
    state: row["state"] as EntryState,
    attempts: Number(row["attempts"]),
    // A new process tries at once: the waits were those of the old one.
    nextAttemptMs: 0,
    createdMs: Number(row["created_at_ms"]),
    lastStatus: row["last_status"] as number | null,
    lastError: row["last_error"] as string | null,
    gone: false,
  };
}

/** A report's JSON as the file has it; `sound` is false when it is not what was written: SQLite itself does not notice that. */
export function entryBody(db: Db, id: number): { readonly text: string; readonly sound: boolean } | null {
  const row = db.prepare("SELECT body, body_crc FROM outbox WHERE id = :id").get({ id });
  const text = row?.["body"];
  if (typeof text !== "string") return null;
  const crc = row?.["body_crc"];
  return { text, sound: typeof crc !== "number" || crc === crc32(text) };
}

/** Ends reports that nobody took in a week and forgets dead ones after another. Returns how many terminal reports were given up. */
export function expireEntries(db: Db, nowMs: number): number {
  db.prepare(`DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = 'dead' AND expires_at_ms < :now LIMIT ${PRUNE_AT_ONCE})`).run({ now: nowMs });
  return db
    .prepare(
      `UPDATE outbox SET state = 'dead', dedupe_key = NULL, last_error = 'not delivered within seven days', expires_at_ms = :until
       WHERE id IN (SELECT id FROM outbox WHERE state <> 'dead' AND expires_at_ms < :now LIMIT ${PRUNE_AT_ONCE})`,
    )
    .run({ now: nowMs, until: nowMs + DEAD_KEPT_MS }).changes;
}
