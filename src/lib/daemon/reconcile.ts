import type { Clock } from "../platform/index.ts";

/** A single-shot subscription to the reconcile broadcast. */
export interface ReconcileTicket {
  /** Resolves at the next broadcast (at once when one found no subscriber before). */
  readonly fired: Promise<void>;
  /** Gives the subscription up; `fired` then never resolves. Idempotent. */
  cancel(): void;
}

/** "The socket was (re)connected: whatever you only learn from hints may be stale" (daemon.md 9.5). */
export interface Reconcile {
  /** Take the next ticket before sending the request the last one asked for, so that a broadcast meanwhile is not lost. */
  subscribe(): ReconcileTicket;
  broadcast(): void;
}

/** A broadcast without subscriber is kept for exactly the next one; broadcasts closer than `debounceMs` are dropped. */
export function createReconcile(clock: Clock, debounceMs: number): Reconcile {
  const waiting = new Set<() => void>();
  let kept = false;
  let last: number | undefined;
  return {
    subscribe() {
      if (kept) {
        kept = false;
        return { fired: Promise.resolve(), cancel: () => undefined };
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      return { fired: promise, cancel: () => void waiting.delete(resolve) };
    },
    broadcast() {
      const now = clock.monotonic();
      if (last !== undefined && now - last < debounceMs) return;
      last = now;
      if (waiting.size === 0) {
        kept = true;
        return;
      }
      const listeners = [...waiting];
      waiting.clear();
      for (const fire of listeners) fire();
    },
  };
}
