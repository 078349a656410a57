import { MulticaError } from "./errors.ts";

interface Waiter {
  readonly start: () => void;
}

/**
 * One holder a key, first come first served. An aborted waiter leaves no trace
 * and never becomes the holder; a key without holder takes no memory.
 */
export class KeyedMutex {
  readonly #queues = new Map<string, Waiter[]>();

  /** True while somebody holds the key. */
  isHeld(key: string): boolean {
    return this.#queues.has(key);
  }

  /** Runs `fn` while holding `key`. Rejects with the signal's reason when aborted before its turn. */
  async run<T>(key: string, fn: () => Promise<T> | T, options: { signal?: AbortSignal } = {}): Promise<T> {
    await this.#acquire(key, options.signal);
    try {
      return await fn();
    } finally {
      this.#release(key);
    }
  }

  #acquire(key: string, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(abortReason(signal));
    const queue = this.#queues.get(key);
    if (queue === undefined) {
      this.#queues.set(key, []);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = queue.indexOf(waiter);
        if (at !== -1) queue.splice(at, 1);
        reject(abortReason(signal));
      };
      const waiter: Waiter = {
        start: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      queue.push(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #release(key: string): void {
    const next = this.#queues.get(key)?.shift();
    if (next === undefined) this.#queues.delete(key);
    else next.start();
  }
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new MulticaError("aborted", "aborted while waiting for a lock");
}
