import type { Clock } from "../platform/index.ts";

/**
 * A one-place mailbox: a signal to a full one is dropped, a signal that arrives before
 * anybody waits is kept. What a loop sleeps on between two cycles.
 */
export class Mailbox {
  #full = false;
  #waiter: (() => void) | null = null;

  /** Leaves the signal; never blocks. */
  post(): void {
    this.#full = true;
    this.#waiter?.();
  }

  /** True when a signal was there; it is consumed. */
  take(): boolean {
    const had = this.#full;
    this.#full = false;
    return had;
  }

  /** Waits for a signal (consumed), at most `ms`. Never rejects: the caller looks at its own signal afterwards. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<"signal" | "timeout" | "aborted"> {
    if (signal.aborted) return "aborted";
    if (this.take()) return "signal";
    const { promise, resolve } = Promise.withResolvers<"signal" | "timeout" | "aborted">();
    const onAbort = (): void => resolve("aborted");
    this.#waiter = () => resolve("signal");
    signal.addEventListener("abort", onAbort, { once: true });
    const stopTimer = Number.isFinite(ms) ? clock.setTimer(ms, () => resolve("timeout")) : () => undefined;
    const outcome = await promise;
    this.#waiter = null;
    stopTimer();
    signal.removeEventListener("abort", onAbort);
    if (outcome === "signal") this.#full = false;
    return outcome;
  }
}

/** A broadcast that gives every subscriber one signal in its own mailbox (daemon.md 7.9). */
export class Broadcast {
  readonly #boxes = new Set<Mailbox>();

  subscribe(): Mailbox {
    const box = new Mailbox();
    this.#boxes.add(box);
    return box;
  }

  unsubscribe(box: Mailbox): void {
    this.#boxes.delete(box);
  }

  notify(): void {
    for (const box of this.#boxes) box.post();
  }
}
