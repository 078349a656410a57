import { existsSync } from "node:fs";
import { MulticaError, backoff, errorText, isMulticaError } from "../core/index.ts";
import type { Clock, Db } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { type CheckNote, type StateFinding, checkResult, checkState, noteCheck } from "./check.ts";
import { asStateError } from "./errors.ts";
import { type ExecTable, createExecTable } from "./exec-rows.ts";
import { type OutboxJournal, createJournal } from "./journal.ts";
import { releaseLease, renewLease } from "./lease.ts";
import { metaValue } from "./migrate.ts";
import { type BeginRun, type BegunRun, type DaemonRun, DAEMON_LEASE, LEASE_RENEW_MS, type StopReason, beginRun, listRuns } from "./runs.ts";
import { type OutboxSummary, type ReportRow, type StateFacts, deadReports, laneReports, outboxSummary, stateFacts } from "./survey.ts";
import * as places from "./places.ts";
import * as tasks from "./tasks.ts";
import { startUpkeep, writerPragmas } from "./upkeep.ts";
import { type StateTrouble, WriteQueue } from "./write-queue.ts";

/** What every process may ask. */
export interface StateReader {
  readonly path: string;
  /** Written once, when the file was made. */
  readonly instanceId: string;
  getTask(taskId: string): tasks.TaskRecord | null;
  listTasks(filter?: { readonly phase?: tasks.TaskPhase }): tasks.TaskRecord[];
  /** The latest runs, newest first; 20 unless given. */
  listRuns(limit?: number): DaemonRun[];
  close(): void;
}

/** What may be asked of the file itself, for people. */
export interface StateSurvey extends StateReader {
  facts(): StateFacts;
  outboxSummary(): OutboxSummary;
  /** Reports the server will never take, without their bodies. */
  deadReports(): ReportRow[];
  /** The queue of one task. */
  laneReports(taskId: string): ReportRow[];
}

/** What a process may do besides that does not own the file; it takes long. */
export interface StateInspector extends StateSurvey {
  /** What is wrong with the file; `full` reads every page and row. */
  check(full: boolean): StateFinding[];
  /** Writes a copy to a path where nothing is yet. */
  backUp(target: string): void;
}

/** The daemon's state: the one writer of the file (state-db.md 13). Writes are in the file when they return, unless it is locked. */
export interface StateHandle extends StateSurvey {
  /** The reports that wait for the server. */
  readonly outbox: OutboxJournal;
  /** The commands under exec hosts. */
  readonly exec: ExecTable;
  /** Why writes do not reach the file just now; null when they do. */
  readonly trouble: StateTrouble | null;
  /** Steps 2 and 3 of the start: becomes the one daemon, closes a crashed run, opens a new one. `daemon_running` (exit 7) otherwise. */
  beginRun(run: BeginRun): Promise<BegunRun>;
  /** Step 4: tasks of earlier runs that may have left processes; to be ended before their directories are used. */
  leftoverAgents(): tasks.LeftoverAgent[];
  /** Step 6: gives up the tasks of earlier runs. Returns them. */
  markLost(): tasks.TaskRecord[];
  /** Step 9. */
  markReady(): void;
  /** Writes how the run ended and gives the lease back. */
  endRun(reason: StopReason): void;
  /** A claimed task, before its preparation starts, on the disk when this returns; one delivered again starts over. */
  insertTask(task: tasks.NewTask): void;
  updateTask(taskId: string, patch: tasks.TaskPatch): void;
  /** Adds facts to a session that a task has named; without such a session nothing happens. */
  describeSession(session: { readonly provider: string; readonly id: string }, facts: places.SessionFacts): void;
  /** Makes a running task of an earlier run this run's; false when it does not run any more. */
  adoptTask(taskId: string): boolean;
  /** Changes the phase; `running` and the terminal phases note their time. */
  setPhase(taskId: string, phase: tasks.TaskPhase): void;
  /** Remembers what a check of the file has found. */
  noteCheck(findings: readonly StateFinding[]): void;
}

export interface HandleParts {
  readonly db: Db;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What opening the file found. */
  readonly checked: CheckNote;
  /** How long a statement waits for a lock, in milliseconds. */
  readonly busyMs: number;
  /** Called once when another process has taken the lease: this daemon must end. */
  readonly onLeaseLost?: () => void;
}

const BEGIN_ATTEMPTS = 20;
/** At the end nothing else waits for this thread. */
const CLOSE_BUSY_MS = 5000;

export function createReader(db: Db): StateInspector {
  const guard = <T>(fn: () => T): T => {
    try {
      return fn();
    } catch (error) {
      throw asStateError(error, db.path);
    }
  };
  return {
    path: db.path,
    instanceId: guard(() => metaValue(db, "instance_id") ?? ""),
    getTask: (taskId) => guard(() => tasks.getTask(db, taskId)),
    listTasks: (filter) => guard(() => tasks.listTasks(db, filter)),
    listRuns: (limit = 20) => guard(() => listRuns(db, limit)),
    facts: () => guard(() => stateFacts(db)),
    outboxSummary: () => guard(() => outboxSummary(db)),
    deadReports: () => guard(() => deadReports(db)),
    laneReports: (taskId) => guard(() => laneReports(db, taskId)),
    check: (full) => guard(() => checkState(db, full)),
    backUp: (target) => guard(() => db.exec(`VACUUM INTO '${target.replaceAll("'", "''")}'`)),
    close: () => db.close(),
  };
}

export function createHandle(parts: HandleParts): StateHandle {
  return new Handle(parts);
}

class Handle implements StateHandle {
  readonly path: string;
  readonly instanceId: string;
  readonly outbox: OutboxJournal;
  readonly exec: ExecTable;
  readonly #parts: HandleParts;
  readonly #reader: StateSurvey;
  readonly #queue: WriteQueue;
  #runId: string | null = null;
  #stopRenewal: () => void = () => undefined;

  constructor(parts: HandleParts) {
    this.#parts = parts;
    this.#reader = createReader(parts.db);
    this.#queue = new WriteQueue(parts.db, parts.clock, parts.logger, () => {
      // An empty one would be made in its place, and what is open would be lost.
      if (!existsSync(parts.db.path)) return;
      parts.db.reopen();
      writerPragmas(parts.db, parts.busyMs);
    });
    this.outbox = createJournal({ ...parts, queue: this.#queue });
    this.exec = createExecTable({ db: parts.db, queue: this.#queue });
    this.path = parts.db.path;
    this.instanceId = this.#reader.instanceId;
  }

  get trouble(): StateTrouble | null {
    return this.#queue.trouble;
  }

  async beginRun(run: BeginRun): Promise<BegunRun> {
    const { db, clock, version, checked } = this.#parts;
    if (this.#runId !== null) throw new MulticaError("bug", "a run has begun already");
    const begin = (): BegunRun => {
      const facts = beginRun(db, run, { version, nowMs: clock.now() });
      noteCheck(db, checked);
      return facts;
    };
    const begun = await retryBusy(clock, BEGIN_ATTEMPTS, db.path, () => db.transaction(begin));
    this.#runId = begun.runId;
    const stopRenewal = clock.every(LEASE_RENEW_MS, () => this.#renew());
    const stopUpkeep = startUpkeep({ ...this.#parts, queue: this.#queue, outbox: this.outbox });
    this.#stopRenewal = () => {
      stopRenewal();
      stopUpkeep();
    };
    return begun;
  }

  #renew(): void {
    const runId = this.#runId;
    if (runId === null) return;
    const { clock, logger, onLeaseLost } = this.#parts;
    const renew = (db: Db): void => {
      if (renewLease(db, DAEMON_LEASE, runId, clock.now())) return;
      this.#stopRenewal();
      logger.error("another daemon has taken the state database");
      onLeaseLost?.();
    };
    try {
      this.#queue.write("lease", renew);
    } catch (error) {
      // Nobody catches what a timer throws: damage that only this write meets must not end the daemon.
      logger.error("the lease of the state database cannot be renewed", { error: errorText(error) });
    }
  }

  leftoverAgents(): tasks.LeftoverAgent[] {
    return this.#read(() => tasks.leftoverAgents(this.#parts.db, this.#requireRun()));
  }

  markLost(): tasks.TaskRecord[] {
    const runId = this.#requireRun();
    const { db, clock } = this.#parts;
    return this.#read(() => db.transaction(() => tasks.markLost(db, runId, clock.now())));
  }

  markReady(): void {
    const [run, now] = [this.#requireRun(), this.#parts.clock.now()];
    this.#queue.write("ready", (db) => void db.prepare("UPDATE daemon_run SET ready_at_ms = :now WHERE run_id = :run").run({ run, now }));
  }

  endRun(reason: StopReason): void {
    const [run, now] = [this.#requireRun(), this.#parts.clock.now()];
    this.#stopRenewal();
    this.#runId = null;
    this.#queue.write("run ended", (db) => {
      db.prepare("UPDATE daemon_run SET stopped_at_ms = :now, stop_reason = :reason WHERE run_id = :run").run({ run, now, reason });
      releaseLease(db, DAEMON_LEASE, run);
    });
  }

  insertTask(task: tasks.NewTask): void {
    const defaults = { runId: this.#requireRun(), nowMs: this.#parts.clock.now() };
    this.#queue.write(`task ${task.task_id}`, (db) => tasks.insertTask(db, task, defaults), { durable: true });
  }

  adoptTask(taskId: string): boolean {
    const runId = this.#requireRun();
    const { db } = this.#parts;
    return this.#read(() => db.transaction(() => tasks.adoptTask(db, taskId, runId)));
  }

  updateTask(taskId: string, patch: tasks.TaskPatch): void {
    this.#queue.write(`task ${taskId}`, (db) => {
      if (!tasks.updateTask(db, taskId, patch, this.#parts.clock.now())) this.#parts.logger.warn("no such task in the state database", { task: taskId });
    });
  }

  describeSession(session: { readonly provider: string; readonly id: string }, facts: places.SessionFacts): void {
    this.#queue.write(`session ${session.id}`, (db) => places.describeSession(db, session, facts));
  }

  setPhase(taskId: string, phase: tasks.TaskPhase): void {
    const now = this.#parts.clock.now();
    const time = phase === "running" ? { started_at_ms: now } : phase === "done" || phase === "lost" ? { ended_at_ms: now } : {};
    this.updateTask(taskId, { phase, ...time });
  }

  noteCheck(findings: readonly StateFinding[]): void {
    const note = { atMs: this.#parts.clock.now(), result: checkResult(findings) };
    this.#queue.write("check", (db) => noteCheck(db, note));
  }

  getTask(taskId: string): tasks.TaskRecord | null {
    return this.#read(() => this.#reader.getTask(taskId));
  }

  listTasks(filter?: { readonly phase?: tasks.TaskPhase }): tasks.TaskRecord[] {
    return this.#read(() => this.#reader.listTasks(filter));
  }

  listRuns(limit?: number): DaemonRun[] {
    return this.#read(() => this.#reader.listRuns(limit));
  }

  facts(): StateFacts {
    return this.#read(() => this.#reader.facts());
  }

  outboxSummary(): OutboxSummary {
    return this.#read(() => this.#reader.outboxSummary());
  }

  deadReports(): ReportRow[] {
    return this.#read(() => this.#reader.deadReports());
  }

  laneReports(taskId: string): ReportRow[] {
    return this.#read(() => this.#reader.laneReports(taskId));
  }

  close(): void {
    const { db, logger } = this.#parts;
    if (!db.isOpen) return;
    this.#stopRenewal();
    this.#queue.stop();
    db.exec(`PRAGMA busy_timeout=${CLOSE_BUSY_MS}`);
    const runId = this.#runId;
    try {
      if (runId !== null) this.#queue.write("lease", (target) => releaseLease(target, DAEMON_LEASE, runId));
    } catch (error) {
      // It names a process that is gone: the next start takes over.
      logger.warn("the lease of the state database was not given back", { error: errorText(error) });
    }
    if (!this.#queue.drain(true)) logger.error("state writes lost: the database stayed locked", { writes: this.#queue.waiting });
    this.#queue.stop();
    try {
      db.exec("PRAGMA optimize");
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      logger.warn("state database not tidied", { error: asStateError(error, db.path) });
    }
    db.close();
  }

  /** What waits to be written comes first: a reader must see its own writes. */
  #read<T>(fn: () => T): T {
    this.#queue.drain(this.#queue.trouble === "busy");
    try {
      return fn();
    } catch (error) {
      throw asStateError(error, this.path);
    }
  }

  #requireRun(): string {
    if (this.#runId === null) throw new MulticaError("bug", "no run has begun");
    return this.#runId;
  }
}

/** Runs `fn` until the file is not locked any more, with growing pauses; the last `state_busy` is thrown. */
export async function retryBusy<T>(clock: Clock, attempts: number, path: string, fn: () => T): Promise<T> {
  const delay = backoff({ baseMs: 50, maxMs: 1000, jitter: 0.2 });
  for (let attempt = 0; ; attempt += 1) {
    try {
      return fn();
    } catch (error) {
      const failure = asStateError(error, path);
      if (!isMulticaError(failure, "state_busy") || attempt + 1 >= attempts) throw failure;
      await clock.sleep(delay(attempt));
    }
  }
}
