import { type Clock, collectYoungGarbage } from "../../platform/index.ts";
import type { LogWriter } from "../log/writer.ts";
import { RECORD_BYTES } from "../protocol.ts";
import type { OutputKind } from "./command.ts";

export interface OutputOptions {
  readonly log: LogWriter;
  readonly clock: Clock;
  /** Bytes a second. */
  readonly rate: number;
  /** Longest pause; a terminal must not be paused longer, or its last bytes are lost (exec-sessions.md 22.2). */
  readonly maxPauseMs: number;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Something was written to the log. */
  readonly onRecord: () => void;
}

const COALESCE_MS = 5;
/** What may come at once before the rate is looked at. */
const BURST_SECONDS = 0.1;
/** Buffers of the pipe wait for the collector, which sees only their small handles: reminded of it, the host stays small. */
const COLLECT_BYTES = 8 << 20;

/** From the command to the log: small pieces together, big ones cut, both streams in the order they came, at a bounded rate. */
export class OutputPipe {
  readonly #options: OutputOptions;
  #kind: OutputKind = "stdout";
  #parts: Buffer[] = [];
  #size = 0;
  #cancelFlush: (() => void) | null = null;
  #cancelPause: (() => void) | null = null;
  #budget: number;
  #budgetAt: number;
  #held = false;
  #uncollected = 0;
  /** When output came last, by the monotonic clock. */
  lastMs: number;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.#budget = options.rate * BURST_SECONDS;
    this.#budgetAt = this.lastMs = options.clock.monotonic();
  }

  get paused(): boolean {
    return this.#held || this.#cancelPause !== null;
  }

  push(kind: OutputKind, data: Buffer): void {
    this.lastMs = this.#options.clock.monotonic();
    if (kind !== this.#kind) this.flush();
    this.#kind = kind;
    this.#parts.push(data);
    this.#size += data.length;
    if (this.#size >= RECORD_BYTES) this.flush();
    else this.#cancelFlush ??= this.#options.clock.setTimer(COALESCE_MS, () => this.flush());
    this.#slow(data.length);
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    if (this.#size === 0) return;
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) this.#options.log.append(this.#kind, bytes.subarray(at, at + RECORD_BYTES));
    this.#uncollected += bytes.length;
    if (this.#uncollected >= COLLECT_BYTES) {
      this.#uncollected = 0;
      collectYoungGarbage();
    }
    this.#options.onRecord();
  }

  /** Holds the command back until `release`: its journal is full. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    if (this.#cancelPause === null) this.#options.pause();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.lastMs = this.#options.clock.monotonic();
    if (this.#cancelPause === null) this.#options.resume();
  }

  #slow(bytes: number): void {
    const { clock, rate, maxPauseMs } = this.#options;
    const now = clock.monotonic();
    this.#budget = Math.min(rate * BURST_SECONDS, this.#budget + ((now - this.#budgetAt) / 1000) * rate) - bytes;
    this.#budgetAt = now;
    if (this.#budget >= 0 || this.#cancelPause !== null || this.#held) return;
    const pauseMs = Math.min(maxPauseMs, (-this.#budget / rate) * 1000);
    if (pauseMs < 1) return;
    this.#options.pause();
    this.#cancelPause = clock.setTimer(pauseMs, () => {
      this.#cancelPause = null;
      this.lastMs = clock.monotonic();
      if (!this.#held) this.#options.resume();
    });
  }
}
