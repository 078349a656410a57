import { EXIT, KeyedMutex, MulticaError } from "../core/index.ts";
import { type Clock, type FileLock, deadline, tryFileLock } from "../platform/index.ts";

const POLL_MS = 100;

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the lock before `repo_busy`; without it the wait has no limit but the signal. */
  readonly waitMs?: number;
}

export interface RepoLocks {
  /** Runs `fn` while nobody else, here or in another process, works on the bare repository. */
  hold<T>(bare: string, options: LockOptions, fn: () => Promise<T>): Promise<T>;
}

/**
 * One holder a bare repository: first in this process, in order of arrival, then between processes by a lock file beside
 * the repository (repocache.md 5). Different repositories never wait for each other. An aborted wait leaves nothing behind.
 */
export function createRepoLocks(clock: Clock): RepoLocks {
  const mutex = new KeyedMutex();
  return {
    hold: async (bare, options, fn) => {
      const limit = options.waitMs === undefined ? undefined : deadline(clock, options.waitMs, options.signal);
      const signal = limit?.signal ?? options.signal;
      const held = { yes: false };
      try {
        return await mutex.run(
          bare,
          async () => {
            const lock = await fileLock(`${bare}.lock`, clock, signal);
            held.yes = true;
            // The limit is for the wait alone.
            limit?.done();
            try {
              return await fn();
            } finally {
              lock.release();
            }
          },
          signal === undefined ? {} : { signal },
        );
      } catch (error) {
        throw limit?.expired() === true && !held.yes ? busy() : error;
      } finally {
        limit?.done();
      }
    },
  };
}

async function fileLock(path: string, clock: Clock, signal?: AbortSignal): Promise<FileLock> {
  for (;;) {
    signal?.throwIfAborted();
    const lock = tryFileLock(path);
    if (lock !== null) return lock;
    await clock.sleep(POLL_MS, signal);
  }
}

function busy(): MulticaError {
  return new MulticaError("repo_busy", "repository is busy with another operation; retry later", {
    exit: EXIT.conflict,
    retry: "later",
  });
}
