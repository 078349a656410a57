import { errorText } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { OutboxEntry, OutboxJournal, ReportKind, StateHandle, TaskPatch } from "../../state/index.ts";
import { type Entry, type Lane, isTerminal } from "./lane.ts";
import { QUOTA, type Quota, overQuota } from "./quota.ts";

/** A report as it is handed in. */
export interface NewReport {
  readonly kind: ReportKind;
  readonly body: unknown;
  readonly seqs?: { readonly first: number; readonly last: number };
}

export interface AddOptions {
  /** What the reports mean for the task's row; written with them. */
  readonly task?: TaskPatch;
  /** Survives a power cut. */
  readonly durable?: boolean;
  /** A terminal report that is written down but not sent before `release`. */
  readonly held?: boolean;
  /** They go with a place in a log that outlives the daemon: not sent before the file has both, or 30 s have passed. */
  readonly placed?: boolean;
}

export interface BookParts {
  readonly state: StateHandle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly quota?: Quota;
}

/** Bodies kept in memory although they are in the file: a fast lane need not read them again. */
const CACHED_BYTES = 8 * 1024 * 1024;

/** How long messages of an agent that outlives the daemon wait for a file that cannot be written. */
const PLACE_WAIT_MS = 30_000;

/** What waits, lane by lane: kept in memory, followed by the journal in the file. */
export class Book {
  readonly journal: OutboxJournal;
  readonly #parts: BookParts;
  readonly #quota: Quota;
  readonly #lanes = new Map<string, Lane>();
  #order = 0;
  #bytes = 0;
  #rows = 0;
  #cached = 0;

  /** Takes up what earlier runs left. */
  constructor(parts: BookParts) {
    this.#parts = parts;
    this.#quota = parts.quota ?? QUOTA;
    this.journal = parts.state.outbox;
    const expired = this.journal.expire();
    if (expired > 0) parts.logger.error("reports that nobody took within seven days are given up", { reports: expired });
    for (const entry of this.journal.load()) this.#take(this.#lane(entry.lane), entry);
  }

  get lanes(): ReadonlyMap<string, Lane> {
    return this.#lanes;
  }

  /** Takes reports of one task, in one transaction. A session or usage that still waits is replaced. */
  add(taskId: string, reports: readonly NewReport[], options: AddOptions): void {
    const lane = this.#lane(taskId);
    const fresh: Entry[] = [];
    for (const report of reports) {
      const body = JSON.stringify(report.body);
      if (options.held === true && isTerminal(report) && this.#amend(lane, report.kind, body, options.task)) continue;
      const waiting = replaceable(lane, report.kind);
      if (waiting !== undefined) this.replaceBody(waiting, body);
      else fresh.push(this.#take(lane, newEntry(taskId, report, body, this.#parts.clock.now()), options.held === true && isTerminal(report)));
    }
    if (options.placed === true) for (const entry of fresh) entry.fileBy = entry.takenAt + PLACE_WAIT_MS;
    const { task } = options;
    if (fresh.length > 0) this.journal.add(fresh, { durable: options.durable ?? false, ...(task === undefined ? {} : { task }) });
    for (const entry of fresh) this.#uncache(entry);
    this.#keepQuota(lane);
  }

  /** Lets a held terminal report go, with its last words. False when there is no terminal report of the task. */
  release(taskId: string, kind: ReportKind, body: unknown, task: TaskPatch): boolean {
    const entry = this.#lanes.get(taskId)?.entries.find((one) => isTerminal(one));
    if (entry === undefined) return false;
    // Already on its way: a second word about the same ending changes nothing.
    if (!entry.held) return true;
    entry.held = false;
    const text = JSON.stringify(body);
    if (entry.kind === kind && this.journal.body(entry) === text) return true;
    entry.kind = kind;
    this.replaceBody(entry, text, task);
    return true;
  }

  /** A held ending is written down anew. False when there is none. */
  #amend(lane: Lane, kind: ReportKind, body: string, task: TaskPatch | undefined): boolean {
    const entry = lane.entries.find((one) => isTerminal(one) && one.held);
    if (entry === undefined) return false;
    if (entry.kind === kind && this.journal.body(entry) === body) return true;
    entry.kind = kind;
    this.replaceBody(entry, body, task);
    return true;
  }

  /** Takes a held terminal report back. */
  withdraw(taskId: string): void {
    const lane = this.#lanes.get(taskId);
    const entry = lane?.entries.find((one) => isTerminal(one) && one.held);
    if (lane === undefined || entry === undefined) return;
    this.drop(lane, entry);
    this.journal.remove(entry, "withdrawn");
  }

  /** Takes an entry out of its lane; what becomes of its row is the caller's word to the journal. */
  drop(lane: Lane, entry: Entry): void {
    const index = lane.entries.indexOf(entry);
    if (index === -1) return;
    lane.entries.splice(index, 1);
    this.#bytes -= entry.bytes;
    this.#rows -= 1;
    if (entry.body !== null) this.#cached -= entry.bytes;
    this.forget(lane);
  }

  /** An empty lane is no lane. */
  forget(lane: Lane): void {
    if (lane.entries.length === 0 && lane.busy === null) this.#lanes.delete(lane.id);
  }

  replaceBody(entry: Entry, body: string, task?: TaskPatch): void {
    const bytes = Buffer.byteLength(body);
    this.#cached += entry.body === null ? bytes : bytes - entry.bytes;
    this.#bytes += bytes - entry.bytes;
    entry.body = body;
    entry.bytes = bytes;
    const durable = entry.kind !== "messages" && entry.kind !== "session";
    this.journal.change(entry, { body: true, durable, ...(task === undefined ? {} : { task }) });
  }

  #lane(id: string): Lane {
    const known = this.#lanes.get(id);
    if (known !== undefined) return known;
    const task = this.#task(id);
    const lane: Lane = { id, runtimeId: task?.runtime_id ?? "", entries: [], busy: null, present: null, ackedSeq: task?.acked_seq ?? 0, alone: false, warnedOfQuota: false };
    this.#lanes.set(id, lane);
    return lane;
  }

  #task(id: string): { readonly runtime_id: string; readonly acked_seq: number } | null {
    try {
      return this.#parts.state.getTask(id);
    } catch (error) {
      this.#parts.logger.warn("task of a report not read from the state database", { task: id, error: errorText(error) });
      return null;
    }
  }

  #take(lane: Lane, entry: OutboxEntry, held = false): Entry {
    this.#order += 1;
    const taken: Entry = Object.assign(entry, { order: this.#order, takenAt: this.#parts.clock.monotonic(), dueAt: 0, held, fileBy: 0, chunk: null, cut: false, strikes: 0 });
    lane.entries.push(taken);
    this.#bytes += taken.bytes;
    this.#rows += 1;
    if (taken.body !== null) this.#cached += taken.bytes;
    return taken;
  }

  /** Lets go of a body that the file has, when memory holds many. */
  #uncache(entry: Entry): void {
    if (entry.id === null || entry.body === null || this.#cached <= CACHED_BYTES) return;
    this.#cached -= entry.bytes;
    entry.body = null;
  }

  #keepQuota(lane: Lane): void {
    for (;;) {
      const unsaved = this.#parts.state.trouble === null ? 0 : this.#unsavedBytes();
      const over = overQuota(this.#lanes, lane, { bytes: this.#bytes, rows: this.#rows, unsaved }, this.#quota);
      if (over === null) return;
      if (!over.lane.warnedOfQuota) this.#parts.logger.warn("too many messages wait for the server; the oldest are dropped", { task: over.lane.id });
      over.lane.warnedOfQuota = true;
      this.drop(over.lane, over.entry);
      this.journal.remove(over.entry, "dropped");
    }
  }

  #unsavedBytes(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) for (const entry of lane.entries) if (entry.id === null) sum += entry.bytes;
    return sum;
  }
}

function replaceable(lane: Lane, kind: ReportKind): Entry | undefined {
  if (kind !== "session" && kind !== "usage") return undefined;
  return lane.entries.find((entry) => entry.kind === kind && entry !== lane.busy && entry.state === "queued");
}

function newEntry(lane: string, report: NewReport, body: string, now: number): OutboxEntry {
  return {
    id: null,
    lane,
    kind: report.kind,
    body,
    bytes: Buffer.byteLength(body),
    firstSeq: report.seqs?.first ?? null,
    lastSeq: report.seqs?.last ?? null,
    state: "queued",
    attempts: 0,
    nextAttemptMs: 0,
    createdMs: now,
    lastStatus: null,
    lastError: null,
    gone: false,
  };
}
