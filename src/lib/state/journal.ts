import { errorText } from "../core/index.ts";
import type { Clock, Db } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import * as rows from "./outbox-rows.ts";
import { type TaskPatch, updateTask } from "./tasks.ts";
import type { WriteQueue } from "./write-queue.ts";

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
  /** Before it is sent. */
  sending(entry: OutboxEntry): void;
  /** After a failed attempt, or when its body was replaced. */
  change(entry: OutboxEntry, options?: { readonly body?: boolean; readonly durable?: boolean; readonly task?: TaskPatch }): void;
  /** Delivered, withdrawn or dropped: the row goes, and its task is told in the same transaction. */
  remove(entry: OutboxEntry, result: "delivered" | "known" | "withdrawn" | "dropped", task?: TaskPatch): void;
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
  const { db, queue, clock, logger } = parts;
  const write = (what: string, fn: (db: Db) => void, options: { durable?: boolean; after?: () => void } = {}): void => {
    try {
      queue.write(what, fn, options);
    } catch (error) {
      logger.error("outbox not written to the state database; kept in memory", { what, error: errorText(error) });
    }
  };
  const patched = (target: Db, lane: string, patch: TaskPatch | undefined): void => {
    if (patch !== undefined) updateTask(target, lane, patch);
  };
  return {
    load: () => db.transaction(() => rows.loadEntries(db)),
    body: (entry) => {
      if (entry.body !== null || entry.id === null) return entry.body;
      try {
        return rows.entryBody(db, entry.id);
      } catch (error) {
        logger.error("a report in the outbox cannot be read", { lane: entry.lane, kind: entry.kind, error: errorText(error) });
        return null;
      }
    },
    add: (entries, options = {}) => {
      const ids = new Map<OutboxEntry, number>();
      write(
        "outbox entries",
        (target) => {
          for (const entry of entries) {
            if (!entry.gone) ids.set(entry, rows.insertEntry(target, entry));
          }
          patched(target, entries[0]?.lane ?? "", options.task);
        },
        // Only then: a transaction that was rolled back has given numbers away too.
        { durable: options.durable ?? false, after: () => ids.forEach((id, entry) => (entry.id = id)) },
      );
    },
    sending: (entry) => write("outbox sending", (target) => withId(entry, (id) => rows.markEntry(target, id, "inflight"))),
    change: (entry, options = {}) =>
      write(
        "outbox entry",
        (target) => {
          withId(entry, (id) => rows.updateEntry(target, id, entry, options.body ?? false));
          patched(target, entry.lane, options.task);
        },
        { durable: options.durable ?? false },
      ),
    remove: (entry, result, task) => {
      entry.gone = true;
      write("outbox entry done", (target) => {
        if (entry.id !== null) rows.deleteEntry(target, entry.id);
        rows.logEntry(target, entry, result, entry.lastStatus, clock.now());
        if (result === "dropped") {
          target.prepare("UPDATE task SET dropped_batches = dropped_batches + 1 WHERE task_id = :id").run({ id: entry.lane });
        }
        patched(target, entry.lane, task);
      });
    },
    bury: (entry, why, task) => {
      entry.gone = true;
      write("outbox entry dead", (target) => {
        if (entry.id !== null) rows.buryEntry(target, entry.id, { ...why, nowMs: clock.now() });
        rows.logEntry(target, entry, "dead", why.status, clock.now());
        patched(target, entry.lane, task);
      });
    },
    expire: () => {
      let given = 0;
      write("outbox expiry", (target) => (given = rows.expireEntries(target, clock.now())));
      return given;
    },
  };
}

function withId(entry: OutboxEntry, fn: (id: number) => void): void {
  if (entry.id !== null && !entry.gone) fn(entry.id);
}
