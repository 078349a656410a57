import { backoff, errorText } from "../core/index.ts";
import { type Clock, type Db, isBusy, sqliteCode } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { asStateError } from "./errors.ts";

/** Why writes wait: another process holds the file, the disk is full, or reading and writing fails. */
export type StateTrouble = "busy" | "full" | "io";

export interface WriteOptions {
  /** Survives a power cut: the commit reaches the disk before the call returns. */
  readonly durable?: boolean;
  /** Called once when the write is in the file. */
  readonly after?: () => void;
}

interface Pending extends WriteOptions {
  readonly what: string;
  readonly fn: (db: Db) => void;
}

const WARN_AFTER = 20;
/** A full or failing disk: soon again, because what waits in memory ends with this process; then every ten seconds. */
const DISK_RETRY = { baseMs: 1000, maxMs: 10_000, jitter: 0 } as const;
/** I/O errors in a row after which the file is opened anew. */
const REOPEN_AFTER = 3;
const CODE_IO = 10;
/** A file system that went over to reading alone; without a write-ahead log also a file that is not at its path any more. */
const CODE_READONLY = 8;
const CODE_FULL = 13;

/**
 * Writes of the daemon's main thread. SQLite's calls are synchronous and a wait for a lock freezes every loop, so one
 * attempt waits a quarter of a second at most (the connection's busy timeout). A write that finds the file locked, the disk
 * full or broken is kept, in order, and tried again in the background; everything written after it waits behind it
 * (state-db.md 14, 20.3).
 */
export class WriteQueue {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #reopen: () => void;
  readonly #delay = backoff({ baseMs: 50, maxMs: 1000, jitter: 0.2 });
  readonly #diskDelay = backoff(DISK_RETRY);
  #pending: Pending[] = [];
  #attempt = 0;
  #trouble: StateTrouble | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(db: Db, clock: Clock, logger: Logger, reopen: () => void = () => undefined) {
    this.#db = db;
    this.#clock = clock;
    this.#logger = logger;
    this.#reopen = reopen;
  }

  get waiting(): number {
    return this.#pending.length;
  }

  /** Null while writes reach the file. */
  get trouble(): StateTrouble | null {
    return this.#trouble;
  }

  /** Runs `fn` in a transaction now, or later when the file is in trouble. Any other failure is thrown at once. */
  write(what: string, fn: (db: Db) => void, options: WriteOptions = {}): void {
    const item = { what, fn, ...options };
    if (this.#pending.length === 0 && this.#try(item)) return;
    this.#pending.push(item);
    if (this.#pending.length === 1) this.#schedule();
  }

  /** Tries what waits, once; not while the file is in trouble, unless `force`. True when nothing waits any more. */
  drain(force = false): boolean {
    if (this.#trouble !== null && !force) return this.#pending.length === 0;
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
      if (item.durable === true) this.#db.exec("PRAGMA synchronous=FULL");
      try {
        this.#db.transaction(() => item.fn(this.#db));
      } finally {
        if (item.durable === true) this.#db.exec("PRAGMA synchronous=NORMAL");
      }
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === null) throw asStateError(error, this.#db.path);
      this.#note(trouble, error);
      return false;
    }
    if (this.#trouble !== null) this.#note(null);
    item.after?.();
    return true;
  }

  #note(trouble: StateTrouble | null, error?: unknown): void {
    if (trouble !== this.#trouble && trouble !== "busy") {
      if (trouble !== null) this.#logger.error("the state database cannot be written; reports are kept in memory", { why: trouble, error: errorText(error) });
      else if (this.#trouble !== "busy") this.#logger.info("the state database can be written again", { writes: this.#pending.length });
    }
    this.#trouble = trouble;
  }

  #openAnew(): void {
    try {
      this.#reopen();
    } catch (error) {
      this.#logger.warn("the state database cannot be opened anew", { error: errorText(error) });
    }
  }

  #schedule(): void {
    this.#cancelTimer();
    const wait = this.#trouble === "busy" ? this.#delay(this.#attempt) : this.#diskDelay(this.#attempt);
    this.#cancelTimer = this.#clock.setTimer(wait, () => {
      this.#attempt += 1;
      if (this.#trouble === "io" && this.#attempt % REOPEN_AFTER === 0) this.#openAnew();
      if (this.drain(true)) return;
      if (this.#attempt === WARN_AFTER) this.#logger.warn("the state database has been locked for long", { writes: this.#pending.length });
      this.#schedule();
    });
  }
}

function troubleOf(error: unknown): StateTrouble | null {
  if (isBusy(error)) return "busy";
  const code = sqliteCode(error);
  return code === CODE_FULL ? "full" : code === CODE_IO || code === CODE_READONLY ? "io" : null;
}
