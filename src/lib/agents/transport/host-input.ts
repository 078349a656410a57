import { createHash } from "node:crypto";
import { errorText } from "../../core/index.ts";
import type { AgentHost } from "../../exec/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { RecordedInput } from "./host-log.ts";

/** Bytes of one request to the host. */
const PIECE = 64 * 1024;
const BUSY_MS = 20;

export interface HostInputParts {
  readonly host: AgentHost;
  readonly clock: Clock;
  /** What an earlier owner told the agent. */
  readonly recorded: RecordedInput | null;
}

/**
 * The agent's stdin as one stream of bytes. Each piece is named by its place in the stream, so that the host types it once;
 * what the log already has is compared and not sent: an adapter that repeats itself differently must not go on.
 */
export class HostInput {
  readonly #parts: HostInputParts;
  readonly #failed = Promise.withResolvers<string>();
  readonly #hash = createHash("sha256");
  readonly #known: number;
  #queue: { readonly at: number; readonly data: Buffer }[] = [];
  #told = 0;
  #misfit: string | null = null;
  #ended = false;
  #broken = false;
  #pumping = false;

  constructor(parts: HostInputParts) {
    this.#parts = parts;
    this.#known = parts.recorded?.bytes ?? 0;
  }

  /** Why what an earlier owner told and what is told now do not fit together; null while they do. */
  get misfit(): string | null {
    return this.#misfit;
  }

  /** Resolves with the text of the first failed write. */
  get failed(): Promise<string> {
    return this.#failed.promise;
  }

  write(line: string): void {
    if (this.#ended || this.#broken) return this.#failed.resolve("input is closed");
    const whole = Buffer.from(`${line}\n`);
    const data = this.#fresh(whole);
    const from = this.#told + whole.length - data.length;
    this.#told += whole.length;
    if (this.#broken) return;
    for (let at = 0; at < data.length; at += PIECE) this.#queue.push({ at: from + at, data: data.subarray(at, at + PIECE) });
    void this.#pump();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#pump();
  }

  /** What comes from now on is new: everything that had been told before has been repeated by then. */
  live(): void {
    if (this.#told < this.#known) this.#fail((this.#misfit = "the agent was told more before"));
  }

  /** The part of `data` that the log does not have. */
  #fresh(data: Buffer): Buffer {
    const repeated = data.subarray(0, Math.max(0, this.#known - this.#told));
    if (repeated.length === 0) return data;
    this.#hash.update(repeated);
    const whole = this.#told + repeated.length === this.#known;
    if (whole && this.#hash.digest("hex") !== this.#parts.recorded?.digest) this.#fail((this.#misfit = "the agent was told something else before"));
    return data.subarray(repeated.length);
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && !this.#broken; next = this.#queue.shift()) await this.#send(next.at, next.data);
      if (this.#ended && !this.#broken) await this.#parts.host.closeInput();
    } catch (error) {
      this.#fail(errorText(error));
    } finally {
      this.#pumping = false;
    }
  }

  async #send(at: number, data: Buffer): Promise<void> {
    const { host, clock } = this.#parts;
    for (;;) {
      const status = await host.write(`in:${at}`, data);
      if (status === "accepted" || status === "duplicate") return;
      if (status !== "busy") return this.#fail("input is closed");
      await clock.sleep(BUSY_MS);
    }
  }

  #fail(text: string): void {
    this.#broken = true;
    this.#queue = [];
    this.#failed.resolve(text);
  }
}
