import { EXIT, MulticaError, uuid7 } from "../core/index.ts";
import type { Db, ProcessIdentity, SqlRow } from "../platform/index.ts";
import { type LeaseHolder, takeLease } from "./lease.ts";

export const DAEMON_LEASE = "daemon";
const LEASE_TTL_MS = 30_000;
export const LEASE_RENEW_MS = 10_000;

export type StopReason = "clean" | "restart" | "crash" | "fatal";

/** One life of a daemon. `epoch` only ever grows. */
export interface DaemonRun {
  readonly run_id: string;
  readonly epoch: number;
  readonly pid: number;
  readonly start_key: string;
  readonly boot_id: string;
  readonly version: string;
  readonly port: number;
  readonly started_at_ms: number;
  readonly ready_at_ms: number | null;
  readonly stopped_at_ms: number | null;
  readonly stop_reason: StopReason | null;
}

export interface BeginRun {
  readonly identity: ProcessIdentity;
  readonly port: number;
}

export interface BegunRun {
  readonly runId: string;
  readonly epoch: number;
  /** The run before did not end by itself. */
  readonly crashed: boolean;
}

const TASKS_KEPT_MS = 14 * 86_400_000;
const RUNS_KEPT = 50;
const PRUNE_AT_ONCE = 500;

/** Becomes the one daemon of this state file. Inside the caller's transaction; `daemon_running` (exit 7) when one lives. */
export function beginRun(db: Db, run: BeginRun, facts: { version: string; nowMs: number }): BegunRun {
  const runId = uuid7(facts.nowMs);
  const claim = { name: DAEMON_LEASE, holder: runId, identity: run.identity, ttlMs: LEASE_TTL_MS, nowMs: facts.nowMs };
  const other = takeLease(db, claim);
  if (other !== null) throw alreadyRunning(db, other);
  const crashed = db.prepare("UPDATE daemon_run SET stopped_at_ms = :now, stop_reason = 'crash' WHERE stopped_at_ms IS NULL").run({ now: facts.nowMs }).changes > 0;
  const epoch = Number(db.scalar("SELECT coalesce(max(epoch), 0) + 1 FROM daemon_run"));
  db.prepare(
    `INSERT INTO daemon_run (run_id, epoch, pid, start_key, boot_id, version, port, started_at_ms)
     VALUES (:run_id, :epoch, :pid, :start_key, :boot_id, :version, :port, :now)`,
  ).run({
    run_id: runId,
    epoch,
    pid: run.identity.pid,
    start_key: run.identity.startKey,
    boot_id: run.identity.bootId,
    version: facts.version,
    port: run.port,
    now: facts.nowMs,
  });
  pruneRuns(db, facts.nowMs);
  return { runId, epoch, crashed };
}

function alreadyRunning(db: Db, other: LeaseHolder): MulticaError {
  const port = db.prepare("SELECT port FROM daemon_run WHERE run_id = :run").get({ run: other.holder })?.["port"];
  const place = port === undefined ? "" : `, port ${Number(port)}`;
  return new MulticaError("daemon_running", `a daemon is already running on this state directory (pid ${other.identity.pid}${place})`, {
    exit: EXIT.conflict,
    details: { pid: other.identity.pid, ...(port === undefined ? {} : { port: Number(port) }) },
    suggestions: ["Use it, or stop it first: multica daemon stop.", "A second daemon needs a profile of its own: --profile NAME."],
  });
}

/** Forgets what is too old to be asked for (state-db.md 21), a bounded number of rows at a time. True = there may be more. */
export function pruneRuns(db: Db, nowMs: number): boolean {
  const tasks = db.prepare(
    `DELETE FROM task WHERE task_id IN
       (SELECT task_id FROM task WHERE phase IN ('done', 'lost') AND coalesce(ended_at_ms, claimed_at_ms) < :limit LIMIT ${PRUNE_AT_ONCE})`,
  ).run({ limit: nowMs - TASKS_KEPT_MS }).changes;
  db.prepare(
    `DELETE FROM daemon_run WHERE epoch <= (SELECT max(epoch) FROM daemon_run) - ${RUNS_KEPT}
       AND NOT EXISTS (SELECT 1 FROM task WHERE task.run_id = daemon_run.run_id)`,
  ).run();
  return tasks === PRUNE_AT_ONCE;
}

/** The latest runs, newest first. */
export function listRuns(db: Db, limit: number): DaemonRun[] {
  const rows: SqlRow[] = db
    .prepare(
      `SELECT run_id, epoch, pid, start_key, boot_id, version, port, started_at_ms, ready_at_ms, stopped_at_ms, stop_reason
       FROM daemon_run ORDER BY epoch DESC LIMIT :limit`,
    )
    .all({ limit });
  return rows as unknown as DaemonRun[];
}
