import { existsSync, lstatSync } from "node:fs";
import { EXIT, KeyedMutex, MulticaError } from "../core/index.ts";
import { type Clock, type FileLock, deadline, lockHolder, lockHolderPath, removeFile, terminateTree, tryFileLock } from "../platform/index.ts";
import { HOLDS_MARKER } from "./git.ts";
import { unwant, want, whenWanted } from "./room.ts";
import { STALE_AFTER_MS, bareLockFiles } from "./stale-lock.ts";

const POLL_MS = 100;
const ORPHAN_GRACE_MS = 2000;
/** Age of a git lock file that is nobody's, once the process that held the repository was found dead. */
const DEAD_STALE_MS = 2000;

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the lock before `repo_busy`; without it the wait has no limit but the signal. */
  readonly waitMs?: number;
}

export interface Held {
  /** Age at which a lock file of git's in the repository belongs to nobody. */
  readonly staleAfterMs: number;
}

export interface RepoLocks {
  /** Runs `fn` while nobody else, here or in another process, works on the bare repository. Ends maintenance in its way. */
  hold<T>(bare: string, options: LockOptions, fn: (held: Held) => Promise<T>): Promise<T>;
  /** Runs `fn` only if nobody holds the repository or waits for it (null otherwise); its signal aborts when somebody comes. */
  maintain<T>(bare: string, signal: AbortSignal, fn: (signal: AbortSignal, held: Held) => Promise<T>): Promise<T | null>;
  /** Ends all maintenance and waits until it has ended. */
  stopMaintenance(): Promise<void>;
  activity(): { readonly maintenance: number; readonly waiters: number };
}

/**
 * One holder a bare repository: first in this process, in order of arrival, then between processes by a lock file beside
 * the repository (repocache.md 5). Different repositories never wait for each other. An aborted wait leaves nothing behind.
 * Maintenance makes room for whoever waits, in this process or another.
 * Whoever takes the lock of a process that died ends the git processes that it left, before anything else.
 */
export function createRepoLocks(clock: Clock): RepoLocks {
  return new Locks(clock);
}

interface Maintenance {
  readonly stop: AbortController;
  readonly done: Promise<unknown>;
}

class Locks implements RepoLocks {
  readonly #clock: Clock;
  readonly #mutex = new KeyedMutex();
  readonly #maintenance = new Map<string, Maintenance>();
  /** Repositories whose last holder died, and when that was seen. */
  readonly #orphaned = new Map<string, number>();
  #waiters = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async hold<T>(bare: string, options: LockOptions, fn: (held: Held) => Promise<T>): Promise<T> {
    const limit = options.waitMs === undefined ? undefined : deadline(this.#clock, options.waitMs, options.signal);
    const signal = limit?.signal ?? options.signal;
    const state = { waiting: true };
    this.#waiters += 1;
    const arrived = (): void => {
      if (state.waiting) this.#waiters -= 1;
      state.waiting = false;
    };
    this.#maintenance.get(bare)?.stop.abort(preempted());
    try {
      return await this.#mutex.run(
        bare,
        async () => {
          const lock = await this.#fileLock(bare, signal);
          arrived();
          // The limit is for the wait alone.
          limit?.done();
          try {
            return await fn(await this.#held(bare, lock.orphaned));
          } finally {
            lock.release();
          }
        },
        signal === undefined ? {} : { signal },
      );
    } catch (error) {
      throw limit?.expired() === true && state.waiting ? busy() : error;
    } finally {
      arrived();
      limit?.done();
    }
  }

  async maintain<T>(bare: string, signal: AbortSignal, fn: (signal: AbortSignal, held: Held) => Promise<T>): Promise<T | null> {
    if (this.#mutex.isHeld(bare) || signal.aborted) return null;
    const stop = new AbortController();
    const done = this.#mutex.run(bare, async () => {
      const lock = tryLock(bare);
      if (lock === null) return null;
      const unwatch = whenWanted(this.#clock, lockPath(bare), () => stop.abort(preempted()));
      try {
        return await fn(AbortSignal.any([stop.signal, signal]), await this.#held(bare, lock.orphaned));
      } finally {
        unwatch();
        // A waiter that died would end every round; one that lives asks again.
        await unwant(lockPath(bare));
        lock.release();
      }
    });
    this.#maintenance.set(bare, { stop, done });
    try {
      return await done;
    } finally {
      this.#maintenance.delete(bare);
    }
  }

  async stopMaintenance(): Promise<void> {
    const running = [...this.#maintenance.values()];
    for (const item of running) item.stop.abort(preempted());
    await Promise.allSettled(running.map((item) => item.done));
  }

  activity(): { maintenance: number; waiters: number } {
    return { maintenance: this.#maintenance.size, waiters: this.#waiters };
  }

  async #fileLock(bare: string, signal?: AbortSignal): Promise<FileLock & { orphaned: boolean }> {
    let asked = false;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const lock = tryLock(bare);
        if (lock !== null) return lock;
        // Another process's: should it be maintenance, it makes room.
        await want(lockPath(bare));
        asked = true;
        await this.#clock.sleep(POLL_MS, signal);
      }
    } finally {
      if (asked) await unwant(lockPath(bare));
    }
  }

  /** A killed holder's git lives on in a group of its own and would work beside us: it ends first (decision 18). */
  async #held(bare: string, orphaned: boolean): Promise<Held> {
    const now = this.#clock.now();
    if (orphaned) {
      await terminateTree({ marker: { name: HOLDS_MARKER, value: bare }, graceMs: ORPHAN_GRACE_MS, clock: this.#clock });
      this.#orphaned.set(bare, now);
      for (const path of bareLockFiles(bare)) {
        const stat = lstatSync(path, { throwIfNoEntry: false });
        if (stat !== undefined && now - stat.mtimeMs >= DEAD_STALE_MS) await removeFile(path);
      }
    }
    const seen = this.#orphaned.get(bare);
    return { staleAfterMs: seen !== undefined && now - seen < STALE_AFTER_MS ? DEAD_STALE_MS : STALE_AFTER_MS };
  }
}

function lockPath(bare: string): string {
  return `${bare}.lock`;
}

/** The lock between processes; `orphaned` when the holder before did not give it back. */
function tryLock(bare: string): (FileLock & { orphaned: boolean }) | null {
  const path = lockPath(bare);
  const orphaned = existsSync(lockHolderPath(path)) && lockHolder(path) === null;
  const lock = tryFileLock(path);
  return lock === null ? null : { ...lock, orphaned };
}

function preempted(): MulticaError {
  return new MulticaError("maintenance_stopped", "repository maintenance made room", { retry: "later" });
}

function busy(): MulticaError {
  return new MulticaError("repo_busy", "repository is busy with another operation; retry later", {
    exit: EXIT.conflict,
    retry: "later",
  });
}
