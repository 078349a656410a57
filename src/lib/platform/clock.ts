import { MulticaError } from "../core/index.ts";

/** Time as everything but this room sees it: tests pass a `HeldClock` and move it by hand. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds that never jump: for measuring. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms`; the returned function cancels. */
  setTimer(ms: number, fn: () => void): () => void;
  /** Calls `fn` every `ms` until the returned function is called. */
  every(ms: number, fn: () => void): () => void;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new MulticaError("aborted", "aborted");
}

function sleepWith(clock: Pick<Clock, "setTimer">, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      if (signal !== undefined) reject(abortError(signal));
    };
    const cancel = clock.setTimer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The machine's own time. Timers keep the process alive, as Node's do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleepWith(systemClock, ms, signal),
  setTimer: (ms, fn) => {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
  every: (ms, fn) => {
    const timer = setInterval(fn, Math.min(Math.max(1, ms), MAX_TIMER_MS));
    return () => clearInterval(timer);
  },
};

interface HeldTimer {
  at: number;
  readonly order: number;
  readonly fn: () => void;
  readonly everyMs: number | null;
}

/**
 * A clock that stands still until `advance`: timers fire in the order of their time,
 * and pending promises get their turn between two timers.
 */
export class HeldClock implements Clock {
  /** The time that never jumps. */
  #now: number;
  /** How far the wall clock is from it. */
  #shift = 0;
  #order = 0;
  readonly #timers = new Set<HeldTimer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#shift;
  }

  /** Sets the wall clock forwards or back by `ms`, as a person or a time server does: no timer is nearer or further for it. */
  jump(ms: number): void {
    this.#shift += ms;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }

  setTimer(ms: number, fn: () => void): () => void {
    return this.#add(ms, fn, null);
  }

  every(ms: number, fn: () => void): () => void {
    return this.#add(ms, fn, Math.max(1, ms));
  }

  /** How many timers wait: for tests that check that nothing is left behind. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward by `ms`, firing every timer on the way; awaits the promises each of them sets off. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await settle();
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      this.#now = Math.max(this.#now, next.at);
      if (next.everyMs === null) this.#timers.delete(next);
      else next.at += next.everyMs;
      next.fn();
      await settle();
    }
    this.#now = target;
    await settle();
  }

  #add(ms: number, fn: () => void, everyMs: number | null): () => void {
    const timer: HeldTimer = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), fn, everyMs };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #next(target: number): HeldTimer | undefined {
    let next: HeldTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > target) continue;
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets microtasks and one round of the event loop run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** True once the time ran out (not when the parent aborted). */
  readonly expired: () => boolean;
  /** Ends the deadline; must be called when the guarded work is over. */
  done(): void;
}

/** A signal that aborts with `timeout` after `ms`, or with the parent's reason when the parent aborts first. */
export function deadline(clock: Clock, ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  const onParent = (): void => controller.abort(parent === undefined ? undefined : abortError(parent));
  const cancel = clock.setTimer(ms, () => {
    expired = true;
    controller.abort(new MulticaError("timeout", `timed out after ${ms} ms`, { retry: "later" }));
  });
  if (parent?.aborted) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    done: () => {
      cancel();
      parent?.removeEventListener("abort", onParent);
    },
  };
}

/** The result of `work`, or a `timeout` error after `ms`; the work itself is not stopped. */
export async function withTimeout<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    cancel = clock.setTimer(ms, () => reject(new MulticaError("timeout", `${what} timed out after ${ms} ms`, { retry: "later" })));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}
