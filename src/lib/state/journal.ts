import { errorText } from "../core/index.ts";
import type { Clock, Db } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import * as rows from "./outbox-rows.ts";
import { type TaskPatch, updateTask } from "./tasks.ts";
import type { WriteOptions, WriteQueue } from "./write-queue.ts";

type OutboxEntry = rows.OutboxEntry;

/**
 * The outbox as the file keeps it. The daemon decides in memory and tells the journal, in order; while the file cannot be
 * written, entries live in memory and reach the file later, unless they were delivered before. Nothing here throws.
 */
export interface OutboxJournal {
  /** Step 5 of the start: everything that is not dead, in order, without bodies. */
  load(): OutboxEntry[];
  body(entry: OutboxEntry): string | null;
  /** Writes new entries together with what they mean for their task; `durable` survives a power cut. */
  add(entries: readonly OutboxEntry[], options?: { readonly task?: TaskPatch; readonly durable?: boolean }): void;
  /** Before they are sent. */
  sending(entries: readonly OutboxEntry[]): void;
  /** After a failed attempt, or when its body was replaced. */
  change(entry: OutboxEntry, options?: { readonly body?: boolean; readonly durable?: boolean; readonly task?: TaskPatch }): void;
  /** Delivered, withdrawn or dropped: the row goes, and its task is told in the same transaction. */
  remove(entry: OutboxEntry, result: "delivered" | "withdrawn" | "dropped", task?: TaskPatch): void;
  /** The server will never take it: kept for seven days. */
  bury(entry: OutboxEntry, why: { readonly status: number | null; readonly error: string }, task?: TaskPatch): void;
  /** Gives up terminal reports older than seven days and forgets dead ones. Returns how many were given up. */
  expire(): number;
}

export interface JournalParts {
  readonly db: Db;
  readonly queue: WriteQueue;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createJournal(parts: JournalParts): OutboxJournal {
  return new Journal(parts);
}

class Journal implements OutboxJournal {
  readonly #parts: JournalParts;
  readonly #damaged = new Set<number>();

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  load(): OutboxEntry[] {
    const { db } = this.#parts;
    return db.transaction(() => rows.loadEntries(db));
  }

  body(entry: OutboxEntry): string | null {
    if (entry.body !== null || entry.id === null) return entry.body;
    try {
      const body = rows.entryBody(this.#parts.db, entry.id);
      if (body?.sound === false) this.#sayDamaged(entry, entry.id);
      return body?.text ?? null;
    } catch (error) {
      this.#parts.logger.error("a report in the outbox cannot be read", { lane: entry.lane, kind: entry.kind, error: errorText(error) });
      return null;
    }
  }

  add(entries: readonly OutboxEntry[], options: { readonly task?: TaskPatch; readonly durable?: boolean } = {}): void {
    const ids = new Map<OutboxEntry, number>();
    const now = this.#parts.clock.now();
    const fn = (db: Db): void => {
      for (const entry of entries) if (!entry.gone) ids.set(entry, rows.insertEntry(db, entry));
      patch(db, entries[0]?.lane ?? "", options.task, now);
    };
    // Only then: a transaction that was rolled back has given numbers away too.
    const after = (): void => ids.forEach((id, entry) => (entry.id = id));
    this.#write("outbox entries", fn, { durable: options.durable ?? false, after });
  }

  sending(entries: readonly OutboxEntry[]): void {
    this.#write("outbox sending", (db) => {
      for (const entry of entries) withId(entry, (id) => rows.markEntry(db, id, "inflight"));
    });
  }

  change(entry: OutboxEntry, options: { readonly body?: boolean; readonly durable?: boolean; readonly task?: TaskPatch } = {}): void {
    const now = this.#parts.clock.now();
    const fn = (db: Db): void => {
      withId(entry, (id) => rows.updateEntry(db, id, entry, options.body ?? false));
      patch(db, entry.lane, options.task, now);
    };
    this.#write("outbox entry", fn, { durable: options.durable ?? false });
  }

  remove(entry: OutboxEntry, result: "delivered" | "withdrawn" | "dropped", task?: TaskPatch): void {
    entry.gone = true;
    const now = this.#parts.clock.now();
    this.#write("outbox entry done", (db) => {
      if (entry.id !== null) rows.deleteEntry(db, entry.id);
      rows.logEntry(db, entry, result, entry.lastStatus, now);
      if (result === "dropped") db.prepare("UPDATE task SET dropped_batches = dropped_batches + 1 WHERE task_id = :id").run({ id: entry.lane });
      patch(db, entry.lane, task, now);
    });
  }

  bury(entry: OutboxEntry, why: { readonly status: number | null; readonly error: string }, task?: TaskPatch): void {
    entry.gone = true;
    const nowMs = this.#parts.clock.now();
    this.#write("outbox entry dead", (db) => {
      if (entry.id !== null) rows.buryEntry(db, entry.id, { ...why, nowMs });
      rows.logEntry(db, entry, "dead", why.status, nowMs);
      patch(db, entry.lane, task, nowMs);
    });
  }

  expire(): number {
    let given = 0;
    this.#write("outbox expiry", (db) => (given = rows.expireEntries(db, this.#parts.clock.now())));
    return given;
  }

  /** What can be read of it is sent all the same: a changed letter is better than a lost result. */
  #sayDamaged(entry: OutboxEntry, id: number): void {
    if (this.#damaged.has(id)) return;
    this.#damaged.add(id);
    this.#parts.logger.error("a report was damaged on disk; it is sent as far as it can be read", { task: entry.lane, report: entry.kind });
  }

  #write(what: string, fn: (db: Db) => void, options: WriteOptions = {}): void {
    try {
      this.#parts.queue.write(what, fn, options);
    } catch (error) {
      this.#parts.logger.error("outbox not written to the state database; kept in memory", { what, error: errorText(error) });
    }
  }
}

function patch(db: Db, taskId: string, task: TaskPatch | undefined, nowMs: number): void {
  if (task !== undefined) updateTask(db, taskId, task, nowMs);
}

function withId(entry: OutboxEntry, fn: (id: number) => void): void {
  if (entry.id !== null && !entry.gone) fn(entry.id);
}
