import { backoff, errorText } from "../core/index.ts";
import { type Clock, type Db, isBusy } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { asStateError } from "./errors.ts";

interface Pending {
  readonly what: string;
  readonly fn: (db: Db) => void;
}

const WARN_AFTER = 20;

/**
 * Writes of the daemon's main thread. SQLite's calls are synchronous and a wait for a lock freezes every loop, so one
 * attempt waits a quarter of a second at most (the connection's busy timeout); a write that finds the file locked is kept,
 * in order, and tried again in the background: 50 ms, doubling up to 1 s (state-db.md 14).
 */
export class WriteQueue {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #delay = backoff({ baseMs: 50, maxMs: 1000, jitter: 0.2 });
  #pending: Pending[] = [];
  #attempt = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(db: Db, clock: Clock, logger: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#logger = logger;
  }

  get waiting(): number {
    return this.#pending.length;
  }

  /** Runs `fn` in a transaction now, or later when the file is locked. Any other failure is thrown at once. */
  write(what: string, fn: (db: Db) => void): void {
    if (this.#pending.length === 0 && this.#try({ what, fn })) return;
    this.#pending.push({ what, fn });
    if (this.#pending.length === 1) this.#schedule();
  }

  /** Tries what waits, once. True when nothing waits any more. */
  drain(): boolean {
    while (this.#pending.length > 0) {
      const [next] = this.#pending;
      if (next === undefined) break;
      try {
        if (!this.#try(next)) return false;
      } catch (error) {
        this.#logger.error("state write lost", { what: next.what, error: errorText(error) });
      }
      this.#pending.shift();
    }
    this.#attempt = 0;
    this.#cancelTimer();
    return true;
  }

  stop(): void {
    this.#cancelTimer();
  }

  #try(item: Pending): boolean {
    try {
      this.#db.transaction(() => item.fn(this.#db));
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw asStateError(error, this.#db.path);
    }
  }

  #schedule(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.setTimer(this.#delay(this.#attempt), () => {
      this.#attempt += 1;
      if (this.drain()) return;
      if (this.#attempt === WARN_AFTER) this.#logger.warn("the state database has been locked for long", { writes: this.#pending.length });
      this.#schedule();
    });
  }
}
