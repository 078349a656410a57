import { errorText } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { OutboxEntry, OutboxJournal, ReportKind, StateHandle, TaskPatch } from "../../state/index.ts";
import { type DeliverParts, deliver } from "./deliver.ts";
import { type Entry, type Lane, isTerminal, nextEntry, readyTerminal } from "./lane.ts";
import { QUOTA, type Quota, overQuota } from "./quota.ts";
import { failInstead } from "./replace.ts";
import { type Verdict, retryWait } from "./verdict.ts";

export interface OutboxParts extends DeliverParts {
  readonly state: StateHandle;
  readonly quota?: Quota;
  readonly random?: () => number;
}

/** A report as it is handed in. */
export interface NewReport {
  readonly kind: ReportKind;
  readonly body: unknown;
  readonly seqs?: { readonly first: number; readonly last: number };
}

const LANES_AT_ONCE = 4;
/** Bodies kept in memory although they are in the file: a fast lane need not read them again. */
const CACHED_BYTES = 8 * 1024 * 1024;
/** While a connection comes back, terminal reports go in the order in which they were made. */
const CATCH_UP_MS = 10_000;
const PAUSE_FIRST_MS = 5000;
const PAUSE_LONGEST_MS = 60_000;

/**
 * The way of every report to the server: written down first, sent in order, until it is acknowledged (state-db.md 17.1).
 * It decides in memory; the journal follows in the file, so that the next start goes on where this process ended.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #journal: OutboxJournal;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #quota: Quota;
  readonly #lanes = new Map<string, Lane>();
  readonly #watchers = new Set<() => void>();
  #order = 0;
  #inFlight = 0;
  #bytes = 0;
  #rows = 0;
  #cached = 0;
  #running = false;
  #paused = false;
  #upSince: number | null = null;
  #cancelTimer: () => void = () => undefined;
  readonly #stopped = new AbortController();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#journal = parts.state.outbox;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#quota = parts.quota ?? QUOTA;
    this.#journal.expire();
    for (const entry of this.#journal.load()) this.#take(this.#lane(entry.lane), entry);
  }

  /** Sends from now on: once the daemon may speak to the server. */
  start(): void {
    this.#running = true;
    this.#pump();
  }

  /** Sends nothing more; what is under way is let go. */
  stop(): void {
    this.#running = false;
    this.#stopped.abort();
    this.#cancelTimer();
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get lanes(): ReadonlyMap<string, Lane> {
    return this.#lanes;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** False while no answer came to the latest requests. */
  get connected(): boolean {
    return this.#upSince !== null;
  }

  /** Calls `fn` after every change; the answer ends that. */
  watch(fn: () => void): () => void {
    this.#watchers.add(fn);
    return () => void this.#watchers.delete(fn);
  }

  /**
   * Takes reports of one task, all in one transaction with `task`. A session or usage that still waits is replaced.
   * Durable ones survive a power cut. `held` ones are written down and not sent before `release`.
   */
  add(taskId: string, reports: readonly NewReport[], options: { readonly task?: TaskPatch; readonly durable?: boolean; readonly held?: boolean } = {}): void {
    const lane = this.#lane(taskId);
    const fresh: Entry[] = [];
    for (const report of reports) {
      const body = JSON.stringify(report.body);
      const waiting = replaceable(lane, report.kind);
      if (waiting !== undefined) this.#replaceBody(waiting, body);
      else fresh.push(this.#take(lane, newEntry(taskId, report, body, this.#clock.now()), options.held === true && isTerminal(report)));
    }
    if (fresh.length > 0) this.#journal.add(fresh, { durable: options.durable ?? false, ...(options.task === undefined ? {} : { task: options.task }) });
    for (const entry of fresh) this.#uncache(entry);
    this.#keepQuota(lane);
    this.#pump();
  }

  /** Lets a held terminal report go, with its last words. False when there is none. */
  release(taskId: string, kind: ReportKind, body: unknown, task: TaskPatch): boolean {
    const entry = this.#lanes.get(taskId)?.entries.find((one) => isTerminal(one));
    if (entry === undefined) return false;
    // Already on its way: a second word about the same ending changes nothing.
    if (!entry.held) return true;
    entry.held = false;
    const text = JSON.stringify(body);
    if (entry.kind !== kind || this.#journal.body(entry) !== text) {
      entry.kind = kind;
      this.#replaceBody(entry, text, task);
    }
    this.#pump();
    return true;
  }

  /** Takes a held terminal report back: the server had ended the task itself. */
  withdraw(taskId: string): void {
    const lane = this.#lanes.get(taskId);
    const entry = lane?.entries.find((one) => isTerminal(one) && one.held);
    if (lane === undefined || entry === undefined) return;
    this.#drop(lane, entry);
    this.#journal.remove(entry, "withdrawn");
    this.#changed();
  }

  /** Tries everything now: the server is probably back. */
  kick(only: (lane: Lane) => boolean = () => true): void {
    for (const lane of this.#lanes.values()) {
      if (!only(lane)) continue;
      for (const entry of lane.entries) entry.nextAttemptMs = 0;
    }
    this.#pump();
  }

  #lane(id: string): Lane {
    const known = this.#lanes.get(id);
    if (known !== undefined) return known;
    const task = this.#task(id);
    const lane: Lane = {
      id,
      runtimeId: task?.runtime_id ?? "",
      entries: [],
      busy: null,
      present: null,
      ackedSeq: task?.acked_seq ?? 0,
      nextSeq: task?.next_seq ?? 1,
      warnedOfQuota: false,
    };
    this.#lanes.set(id, lane);
    return lane;
  }

  #task(id: string): { runtime_id: string; acked_seq: number; next_seq: number } | null {
    try {
      return this.#parts.state.getTask(id);
    } catch (error) {
      this.#logger.warn("task of a report not read from the state database", { task: id, error: errorText(error) });
      return null;
    }
  }

  #take(lane: Lane, entry: OutboxEntry, held = false): Entry {
    this.#order += 1;
    const taken: Entry = Object.assign(entry, { order: this.#order, held, chunk: null, cut: false, unreachable: false });
    lane.entries.push(taken);
    this.#bytes += taken.bytes;
    this.#rows += 1;
    if (taken.body !== null) this.#cached += taken.bytes;
    return taken;
  }

  #drop(lane: Lane, entry: Entry): void {
    const index = lane.entries.indexOf(entry);
    if (index === -1) return;
    lane.entries.splice(index, 1);
    this.#bytes -= entry.bytes;
    this.#rows -= 1;
    if (entry.body !== null) this.#cached -= entry.bytes;
    if (lane.entries.length === 0 && lane.busy === null) this.#lanes.delete(lane.id);
  }

  #replaceBody(entry: Entry, body: string, task?: TaskPatch): void {
    const bytes = Buffer.byteLength(body);
    this.#cached += entry.body === null ? bytes : bytes - entry.bytes;
    this.#bytes += bytes - entry.bytes;
    entry.body = body;
    entry.bytes = bytes;
    this.#journal.change(entry, { body: true, durable: entry.kind !== "messages" && entry.kind !== "session", ...(task === undefined ? {} : { task }) });
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
      if (!over.lane.warnedOfQuota) this.#logger.warn("too many messages wait for the server; the oldest are dropped", { task: over.lane.id });
      over.lane.warnedOfQuota = true;
      this.#drop(over.lane, over.entry);
      this.#journal.remove(over.entry, "dropped");
    }
  }

  #unsavedBytes(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) for (const entry of lane.entries) if (entry.id === null) sum += entry.bytes;
    return sum;
  }

  #changed(): void {
    for (const fn of [...this.#watchers]) fn();
  }

  /** Starts as many requests as may run, then waits for the next one to be due. */
  #pump(): void {
    this.#cancelTimer();
    if (!this.#running || this.#paused) return;
    const now = this.#clock.now();
    while (this.#inFlight < LANES_AT_ONCE) {
      const best = this.#ready(now);
      if (best === null) break;
      void this.#send(best.lane, best.entry);
    }
    if (this.#inFlight >= LANES_AT_ONCE) return;
    const due = this.#nextDue(now);
    if (due !== null) this.#cancelTimer = this.#clock.setTimer(Math.max(1, due - now), () => this.#pump());
  }

  /** Lanes with a terminal report first, then the oldest report. */
  #ready(now: number): { lane: Lane; entry: Entry } | null {
    let best: { lane: Lane; entry: Entry; urgent: boolean } | null = null;
    for (const lane of this.#lanes.values()) {
      const entry = nextEntry(lane, { now, upSince: this.#upSince });
      if (entry === null || entry.nextAttemptMs > now || this.#waitsForOlder(lane, entry, now)) continue;
      const urgent = readyTerminal(lane) !== undefined;
      if (best !== null && (best.urgent !== urgent ? best.urgent : best.entry.order < entry.order)) continue;
      best = { lane, entry, urgent };
    }
    return best;
  }

  /** In the first seconds of a connection an older result goes first, unless the server has answered it with an error. */
  #waitsForOlder(lane: Lane, entry: Entry, now: number): boolean {
    if (!isTerminal(entry) || this.#upSince === null || now - this.#upSince >= CATCH_UP_MS) return false;
    for (const other of this.#lanes.values()) {
      if (other === lane) continue;
      const terminal = readyTerminal(other);
      if (terminal === undefined || terminal.order > entry.order) continue;
      const head = other.busy ?? other.entries[0];
      if (head !== undefined && (head.attempts === 0 || head.unreachable)) return true;
    }
    return false;
  }

  #nextDue(now: number): number | null {
    let due: number | null = null;
    for (const lane of this.#lanes.values()) {
      const entry = nextEntry(lane, { now, upSince: this.#upSince });
      if (entry === null) continue;
      // One that is due waits for older ones or for its turn to overtake: a second later things may be different.
      const at = entry.nextAttemptMs > now ? Math.min(entry.nextAttemptMs, now + PAUSE_LONGEST_MS) : now + 1000;
      if (due === null || at < due) due = at;
    }
    return due;
  }

  async #send(lane: Lane, entry: Entry): Promise<void> {
    lane.busy = entry;
    this.#inFlight += 1;
    if (entry.state === "queued") {
      entry.state = "inflight";
      this.#journal.sending(entry);
    }
    const body = this.#journal.body(entry);
    const verdict: Verdict =
      body === null ? { kind: "refused", status: 0, error: "its body cannot be read from the state database" } : await deliver(this.#parts, lane, entry, body);
    this.#inFlight -= 1;
    lane.busy = null;
    try {
      this.#apply(lane, entry, verdict);
    } catch (error) {
      this.#logger.error("a report's answer could not be dealt with", { task: lane.id, error: errorText(error) });
    }
    this.#changed();
    this.#pump();
  }

  #apply(lane: Lane, entry: Entry, verdict: Verdict): void {
    if (verdict.kind !== "retry" || !verdict.unreachable) this.#noteAnswer();
    if (entry.gone) return;
    switch (verdict.kind) {
      case "done":
        return this.#done(lane, entry, verdict.state);
      case "part":
        lane.ackedSeq = verdict.restFrom - 1;
        entry.attempts = 0;
        entry.state = "queued";
        entry.firstSeq = verdict.restFrom;
        return this.#replaceBody(entry, verdict.rest, { acked_seq: lane.ackedSeq });
      case "retry":
        return this.#later(lane, entry, verdict);
      case "unauthorised":
        if (entry.state === "inflight") entry.state = "queued";
        this.#journal.change(entry);
        if (!this.#paused) void this.#pause();
        return;
      case "gone":
        return this.#abandonLane(lane);
      case "too_large":
        return this.#smaller(lane, entry, verdict);
      case "refused":
        return this.#refused(lane, entry, verdict);
    }
  }

  #done(lane: Lane, entry: Entry, state: string | undefined): void {
    this.#drop(lane, entry);
    if (entry.kind === "messages") lane.ackedSeq = Math.max(lane.ackedSeq, entry.lastSeq ?? 0);
    const patch: TaskPatch | undefined = entry.kind === "messages" ? { acked_seq: lane.ackedSeq } : isTerminal(entry) ? { phase: "done" } : undefined;
    this.#journal.remove(entry, "delivered", patch);
    if (!isTerminal(entry)) return;
    const expected = entry.kind === "complete" ? "completed" : "failed";
    if (state === undefined || state === expected) this.#logger.info("report delivered", { task: lane.id, report: entry.kind });
    else this.#logger.warn("the server had already finished the task", { task: lane.id, state, reported: entry.kind });
  }

  #later(lane: Lane, entry: Entry, verdict: Extract<Verdict, { kind: "retry" }>): void {
    entry.attempts += 1;
    // Once it may have arrived, it stays so until the server has been asked.
    entry.state = verdict.ambiguous || entry.state === "ambiguous" ? "ambiguous" : "queued";
    entry.unreachable = verdict.unreachable;
    entry.lastStatus = verdict.status;
    entry.lastError = errorText(verdict.error).slice(0, 500);
    const wait = retryWait(entry.kind, entry.attempts, verdict.afterMs, this.#parts.random);
    entry.nextAttemptMs = this.#clock.now() + wait;
    this.#journal.change(entry);
    if (verdict.unreachable) this.#upSince = null;
    const level = isTerminal(entry) ? "warn" : "debug";
    this.#logger[level]("report not delivered yet", { task: lane.id, report: entry.kind, attempt: entry.attempts, next_ms: wait, error: entry.lastError });
  }

  /** Any answer shows that the server is there; after a silence everything that failed for the network's sake is due. */
  #noteAnswer(): void {
    if (this.#upSince !== null) return;
    this.#upSince = this.#clock.now();
    for (const lane of this.#lanes.values()) for (const entry of lane.entries) if (entry.unreachable) entry.nextAttemptMs = 0;
  }

  #abandonLane(lane: Lane): void {
    this.#logger.warn("the task no longer exists on the server; its reports are given up", { task: lane.id, reports: lane.entries.length });
    for (const entry of [...lane.entries]) {
      this.#drop(lane, entry);
      this.#journal.bury(entry, { status: 404, error: "task not found" }, isTerminal(entry) ? { phase: "done" } : undefined);
    }
  }

  #smaller(lane: Lane, entry: Entry, verdict: Extract<Verdict, { kind: "too_large" }>): void {
    const count = entry.chunk ?? Math.max(1, (entry.lastSeq ?? 1) - (entry.firstSeq ?? 1) + 1);
    if (entry.cut) return this.#refused(lane, entry, { kind: "refused", status: 413, error: verdict.error });
    if (count > 1) entry.chunk = Math.ceil(count / 2);
    else entry.cut = true;
    if (entry.state === "inflight") entry.state = "queued";
    this.#journal.change(entry);
  }

  #refused(lane: Lane, entry: Entry, verdict: Extract<Verdict, { kind: "refused" }>): void {
    const error = errorText(verdict.error);
    entry.lastStatus = verdict.status;
    entry.lastError = error.slice(0, 500);
    this.#logger.error("report refused", { task: lane.id, report: entry.kind, status: verdict.status, error });
    const body = entry.kind === "complete" ? this.#journal.body(entry) : null;
    if (body !== null) {
      // The work is real: the server is told at least that it was done and could not be taken.
      entry.kind = "fail";
      entry.attempts = 0;
      entry.nextAttemptMs = 0;
      entry.state = "queued";
      return this.#replaceBody(entry, failInstead(body, error), { terminal_kind: "fail" });
    }
    this.#drop(lane, entry);
    this.#journal.bury(entry, { status: verdict.status, error: entry.lastError }, isTerminal(entry) ? { phase: "done", error: entry.lastError } : undefined);
  }

  /** Nothing is sent, and nothing counts as an attempt, until the server knows us again (state-db.md 17.1.6). */
  async #pause(): Promise<void> {
    this.#paused = true;
    this.#cancelTimer();
    this.#logger.warn("the server refuses the daemon's token; reports wait until it is accepted again");
    for (let wait = PAUSE_FIRST_MS; this.#running; wait = Math.min(PAUSE_LONGEST_MS, wait * 2)) {
      try {
        await this.#clock.sleep(wait, this.#stopped.signal);
        await this.#parts.api.me({ timeoutMs: 15_000 });
        break;
      } catch (error) {
        this.#logger.debug("the daemon's token is still not accepted", { error: errorText(error) });
      }
    }
    this.#paused = false;
    if (this.#running) this.#logger.info("the daemon's token is accepted again");
    this.#changed();
    this.#pump();
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
