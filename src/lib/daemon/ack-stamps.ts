import type { Clock } from "../platform/index.ts";

/** When the socket last acknowledged a heartbeat of each runtime: a fresh stamp suspends the HTTP one (daemon.md 8.2). */
export class AckStamps {
  readonly #clock: Clock;
  readonly #at = new Map<string, number>();
  #lastAt: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the server last took a heartbeat of any runtime, on either way (epoch milliseconds). */
  get lastAt(): number | null {
    return this.#lastAt;
  }

  /** A heartbeat over HTTP was answered. */
  heard(): void {
    this.#lastAt = this.#clock.now();
  }

  stamp(runtimeId: string): void {
    this.heard();
    this.#at.set(runtimeId, this.#clock.monotonic());
  }

  /** True when the last acknowledgement is younger than `windowMs`. */
  isFresh(runtimeId: string, windowMs: number): boolean {
    const at = this.#at.get(runtimeId);
    return at !== undefined && this.#clock.monotonic() - at < windowMs;
  }

  forget(runtimeId: string): void {
    this.#at.delete(runtimeId);
  }

  /** The socket closed: HTTP beats resume at the next tick. */
  clear(): void {
    this.#at.clear();
  }
}
