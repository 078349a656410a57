import { errorText } from "../../core/index.ts";
import type { ReportKind, TaskPatch } from "../../state/index.ts";
import { applyToRiders, applyVerdict } from "./answer.ts";
import { joined, ridersOf } from "./riders.ts";
import { type AddOptions, Book, type BookParts, type NewReport } from "./book.ts";
import { type DeliverParts, deliver } from "./deliver.ts";
import { Gate, type GateReason } from "./gate.ts";
import { type Entry, type Lane, isTerminal, nextEntry, placedHead, readyTerminal } from "./lane.ts";
import type { Verdict } from "./verdict.ts";

export interface OutboxParts extends DeliverParts, BookParts {
  readonly random?: () => number;
}

const LANES_AT_ONCE = 4;
/** While a connection comes back, terminal reports go in the order in which they were made. */
const CATCH_UP_MS = 10_000;
/** How soon one that is due but must wait for another is looked at again. */
const LOOK_AGAIN_MS = 1000;

/**
 * The way of every report to the server: written down first, sent in order, until it is acknowledged (state-db.md 17.1).
 * Lanes are strictly first in, first out; four lanes send at once, those with a terminal report first.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #book: Book;
  readonly #watchers = new Set<() => void>();
  readonly #stopped = new AbortController();
  #inFlight = 0;
  #running = false;
  /** Since when the server is known to answer (monotonic); null while it is away or does not know us. */
  #upSince: number | null = null;
  readonly #gate: Gate;
  #cancelTimer: () => void = () => undefined;

  /** Takes up what earlier runs left; sends nothing before `start`. */
  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#book = new Book(parts);
    this.#gate = new Gate({ ...parts, signal: this.#stopped.signal, onChange: () => this.#changed(), onOpen: () => this.#open() });
  }

  start(): void {
    this.#running = true;
    if (this.lanes.size === 0) this.#open();
    else this.#gate.close("away", 0);
  }

  /** Sends nothing more; what is under way is let go. */
  stop(): void {
    this.#running = false;
    this.#stopped.abort();
    this.#cancelTimer();
  }

  get lanes(): ReadonlyMap<string, Lane> {
    return this.#book.lanes;
  }

  /** Why nothing is sent just now: the server is away, or refuses the daemon's token. */
  get closed(): GateReason | null {
    return this.#gate.reason;
  }

  /** How often the server was looked for while nothing was sent. */
  get looks(): number {
    return this.#gate.looks;
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls `fn` after every change; the answer ends that. */
  watch(fn: () => void): () => void {
    this.#watchers.add(fn);
    return () => void this.#watchers.delete(fn);
  }

  /** Takes reports of one task; they are on disk when this returns, unless the file is in trouble. */
  add(taskId: string, reports: readonly NewReport[], options: AddOptions = {}): void {
    this.#book.add(taskId, reports, options);
    this.#pump();
  }

  /** Lets a held terminal report go, with its last words. False when there is none. */
  release(taskId: string, kind: ReportKind, body: unknown, task: TaskPatch): boolean {
    const found = this.#book.release(taskId, kind, body, task);
    this.#pump();
    return found;
  }

  /** Takes a held terminal report back: the server had ended the task itself. */
  withdraw(taskId: string): void {
    this.#book.withdraw(taskId);
    this.#changed();
  }

  /** Tries now what waits for its next attempt: the server is probably back. */
  kick(only: (lane: Lane) => boolean = () => true): void {
    for (const lane of this.lanes.values()) {
      if (!only(lane)) continue;
      for (const entry of lane.entries) entry.dueAt = 0;
    }
    this.#gate.look();
    this.#pump();
  }

  /** The server is there: what failed for the network's sake is due. */
  #open(): void {
    this.#upSince = this.#parts.clock.monotonic();
    for (const lane of this.lanes.values()) for (const entry of lane.entries) if (entry.strikes > 0) entry.dueAt = 0;
    this.#pump();
  }

  #changed(): void {
    for (const fn of [...this.#watchers]) fn();
  }

  /** Starts as many requests as may run, then waits for the next one to be due. */
  #pump(): void {
    this.#cancelTimer();
    if (!this.#running || this.#upSince === null) return;
    const now = this.#parts.clock.monotonic();
    while (this.#inFlight < LANES_AT_ONCE) {
      const best = this.#ready(now);
      if (best === null) break;
      void this.#send(best.lane, best.entry);
    }
    if (this.#inFlight >= LANES_AT_ONCE) return;
    const due = this.#nextDue(now);
    if (due !== null) this.#cancelTimer = this.#parts.clock.setTimer(due - now, () => this.#pump());
  }

  /** Lanes with a terminal report first, then the oldest report. */
  #ready(now: number): { lane: Lane; entry: Entry } | null {
    let best: { lane: Lane; entry: Entry; urgent: boolean } | null = null;
    for (const lane of this.lanes.values()) {
      const entry = nextEntry(lane, { now, upSince: this.#upSince });
      if (entry === null || entry.dueAt > now || this.#waitsForOlder(lane, entry, now)) continue;
      const urgent = readyTerminal(lane) !== undefined;
      if (best !== null && (best.urgent === urgent ? best.entry.order < entry.order : best.urgent)) continue;
      best = { lane, entry, urgent };
    }
    return best;
  }

  /** In the first seconds of a connection an older result goes first, unless it failed again although the server was there. */
  #waitsForOlder(lane: Lane, entry: Entry, now: number): boolean {
    if (!isTerminal(entry) || now - (this.#upSince ?? now) >= CATCH_UP_MS) return false;
    for (const other of this.lanes.values()) {
      const terminal = other === lane ? undefined : readyTerminal(other);
      if (terminal === undefined || terminal.order > entry.order) continue;
      const head = other.busy ?? other.entries[0];
      if (head !== undefined && (head.attempts === 0 || head.strikes === 1)) return true;
    }
    return false;
  }

  #nextDue(now: number): number | null {
    let due: number | null = null;
    for (const lane of this.lanes.values()) {
      const entry = nextEntry(lane, { now, upSince: this.#upSince }) ?? placedHead(lane, now);
      if (entry === null) continue;
      // Also while it waits for its next attempt: its turn to overtake may come before that.
      const again = readyTerminal(lane) === undefined ? entry.dueAt : Math.min(entry.dueAt, now + LOOK_AGAIN_MS);
      const at = Math.max(again, now + (entry.dueAt > now ? 1 : LOOK_AGAIN_MS));
      if (due === null || at < due) due = at;
    }
    return due;
  }

  async #send(lane: Lane, entry: Entry): Promise<void> {
    const { journal } = this.#book;
    const riders = ridersOf(lane, entry, this.#parts.clock.monotonic());
    lane.busy = entry;
    this.#inFlight += 1;
    const fresh = [entry, ...riders].filter((one) => one.state === "queued");
    for (const one of fresh) one.state = "inflight";
    if (fresh.length > 0) journal.sending(fresh);
    const verdict = await deliver(this.#parts, lane, entry, joined([entry, ...riders].map((one) => journal.body(one))));
    this.#inFlight -= 1;
    lane.busy = null;
    // What was let go is asked about by the next start.
    if (this.#running) this.#answered(lane, entry, riders, verdict);
  }

  #answered(lane: Lane, entry: Entry, riders: readonly Entry[], verdict: Verdict): void {
    try {
      const parts = { ...this.#parts, book: this.#book };
      // With riders it is not known whose fault it was: it is tried alone.
      const alone = riders.length > 0 && (verdict.kind === "too_large" || verdict.kind === "refused");
      if (alone) entry.state = "queued";
      else if (!entry.gone) applyVerdict(parts, lane, entry, verdict);
      // After it, in order: the acknowledged number in the file must never be ahead of what is still there.
      applyToRiders(parts, lane, riders, verdict);
      this.#book.forget(lane);
    } catch (error) {
      this.#parts.logger.error("the answer to a report could not be dealt with", { task: lane.id, error: errorText(error) });
    }
    const reason = verdict.kind === "unauthorised" ? "auth" : verdict.kind === "retry" && verdict.unreachable ? "away" : null;
    if (reason !== null) {
      this.#upSince = null;
      this.#gate.close(reason);
    }
    this.#changed();
    this.#pump();
  }
}
