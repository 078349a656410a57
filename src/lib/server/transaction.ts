import { uuid7 } from "../core/index.ts";
import type { Db } from "../platform/index.ts";
import type { BusEvent, ServerContext, Thresholds } from "./context.ts";

/** One write transaction: `now` is the same for every row it touches. */
export interface Tx {
  readonly db: Db;
  readonly now: number;
  readonly thresholds: Thresholds;
  newId(): string;
  /** Queues an event; listeners hear it after the commit, and never when the transaction rolls back. */
  emit(event: BusEvent): void;
}

/**
 * Runs `fn` in one BEGIN IMMEDIATE transaction, commits, then announces what it queued.
 * Whatever `fn` throws rolls everything back and is thrown on. `fn` must not await (server-api.md 14.1).
 */
export function inTransaction<T>(ctx: Pick<ServerContext, "db" | "clock" | "bus" | "thresholds">, fn: (tx: Tx) => T): T {
  const events: BusEvent[] = [];
  const now = ctx.clock.now();
  const result = ctx.db.transaction(() =>
    fn({
      db: ctx.db,
      now,
      thresholds: ctx.thresholds,
      newId: () => uuid7(now),
      emit: (event) => {
        events.push(event);
      },
    }),
  );
  for (const event of events) ctx.bus.emit(event);
  return result;
}
