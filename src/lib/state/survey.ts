import type { Db, SqlRow } from "../platform/index.ts";
import { leaseHolder } from "./lease.ts";
import { metaValue, schemaVersion } from "./migrate.ts";
import { DAEMON_LEASE, type DaemonRun, listRuns } from "./runs.ts";

export interface OutboxSummary {
  readonly queued: number;
  readonly inflight: number;
  readonly ambiguous: number;
  readonly dead: number;
  /** Of bodies that wait. */
  readonly bytes: number;
  /** Epoch milliseconds of the oldest that waits. */
  readonly oldest_at_ms: number | null;
  /** Terminal reports among those that wait. */
  readonly results: number;
}

/** A report as it is shown: never its body. */
export interface ReportRow {
  readonly id: number;
  readonly lane: string;
  readonly kind: string;
  readonly state: string;
  readonly body_bytes: number;
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  readonly attempts: number;
  readonly created_at_ms: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
}

/** What `state status` tells about the file itself. */
export interface StateFacts {
  readonly schema: number;
  readonly journal_mode: string;
  readonly instance_id: string;
  /** Who holds the file as its daemon, by the lease. */
  readonly holder: { readonly pid: number; readonly startKey: string; readonly bootId: string } | null;
  readonly run: DaemonRun | null;
  /** Tasks by phase. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Environments that are there, those in use among them, and conversations that are remembered. */
  readonly environments: { readonly known: number; readonly in_use: number };
  readonly sessions: number;
  /** Commands under exec hosts, by state. */
  readonly processes: Readonly<Record<string, number>>;
  readonly last_check: { readonly at_ms: number; readonly result: string } | null;
}

const EMPTY: OutboxSummary = { queued: 0, inflight: 0, ambiguous: 0, dead: 0, bytes: 0, oldest_at_ms: null, results: 0 };
const REPORT_COLUMNS = "id, lane, kind, state, body_bytes, first_seq, last_seq, attempts, created_at_ms, last_status, last_error";

export function outboxSummary(db: Db): OutboxSummary {
  if (!hasOutbox(db)) return EMPTY;
  const rows = db.prepare("SELECT state, count(*) AS n FROM outbox GROUP BY state").all();
  const counts = Object.fromEntries(rows.map((row) => [String(row["state"]), Number(row["n"])]));
  const waiting = db
    .prepare(
      `SELECT coalesce(sum(body_bytes), 0) AS bytes, min(created_at_ms) AS oldest, coalesce(sum(kind IN ('complete', 'fail')), 0) AS results
       FROM outbox WHERE state <> 'dead'`,
    )
    .get();
  return {
    ...EMPTY,
    ...counts,
    bytes: Number(waiting?.["bytes"] ?? 0),
    oldest_at_ms: typeof waiting?.["oldest"] === "number" ? waiting["oldest"] : null,
    results: Number(waiting?.["results"] ?? 0),
  };
}

/** What the server refused for good, oldest first. */
export function deadReports(db: Db): ReportRow[] {
  return hasOutbox(db) ? reports(db.prepare(`SELECT ${REPORT_COLUMNS} FROM outbox WHERE state = 'dead' ORDER BY id LIMIT 1000`).all()) : [];
}

/** The queue of one task, in the order in which it is sent. */
export function laneReports(db: Db, taskId: string): ReportRow[] {
  return hasOutbox(db) ? reports(db.prepare(`SELECT ${REPORT_COLUMNS} FROM outbox WHERE lane = :lane ORDER BY id`).all({ lane: taskId })) : [];
}

export function stateFacts(db: Db): StateFacts {
  const tasks = db.prepare("SELECT phase AS name, count(*) AS n FROM task GROUP BY phase ORDER BY phase").all();
  const processes = hasTable(db, "exec_process") ? db.prepare("SELECT state AS name, count(*) AS n FROM exec_process GROUP BY state ORDER BY state").all() : [];
  const counts = (rows: SqlRow[]): Record<string, number> => Object.fromEntries(rows.map((row) => [String(row["name"]), Number(row["n"])]));
  const checked = metaValue(db, "last_check_ms");
  return {
    schema: schemaVersion(db),
    journal_mode: String(db.scalar("PRAGMA journal_mode")),
    instance_id: metaValue(db, "instance_id") ?? "",
    holder: leaseHolder(db, DAEMON_LEASE)?.identity ?? null,
    run: listRuns(db, 1)[0] ?? null,
    tasks: counts(tasks),
    environments: environments(db),
    sessions: hasTable(db, "session") ? Number(db.scalar("SELECT count(*) FROM session")) : 0,
    processes: counts(processes),
    last_check: checked === undefined ? null : { at_ms: Number(checked), result: metaValue(db, "last_check_result") ?? "" },
  };
}

function environments(db: Db): { known: number; in_use: number } {
  if (!hasTable(db, "env_root")) return { known: 0, in_use: 0 };
  const row = db.prepare("SELECT count(*) AS known, coalesce(sum(in_use_task_id IS NOT NULL), 0) AS used FROM env_root WHERE removed_at_ms IS NULL").get();
  return { known: Number(row?.["known"] ?? 0), in_use: Number(row?.["used"] ?? 0) };
}

/** A file that the daemon has not migrated yet has none. */
const hasOutbox = (db: Db): boolean => hasTable(db, "outbox");

function hasTable(db: Db, name: string): boolean {
  return db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name = :name").get({ name })?.["n"] === 1;
}

function reports(rows: SqlRow[]): ReportRow[] {
  // STRICT columns: the file cannot hold other types than the schema names.
  return rows as unknown as ReportRow[];
}
