import type { DaemonContext } from "./context.ts";
import type { BeatAnswer } from "./loops/heartbeat.ts";

export interface PendingWorkParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  /** One HTTP heartbeat with this limit, in milliseconds; must not throw. */
  beat(runtimeId: string, signal: AbortSignal, timeoutMs: number): Promise<BeatAnswer>;
  runtimeGone(runtimeId: string): void;
}

/**
 * Hints that something waits for a runtime's next heartbeat (daemon.md 8.4): one immediate HTTP heartbeat, whatever the
 * socket has acknowledged. Hints for the same runtime within a second, or while one is under way, are one.
 */
export class PendingWork {
  readonly #parts: PendingWorkParts;
  readonly #started = new Map<string, { at: number; inFlight: boolean }>();

  constructor(parts: PendingWorkParts) {
    this.#parts = parts;
  }

  /** Never throws; the beat runs by itself. */
  hint(runtimeId: string): void {
    const { clock, limits, runtimes, rootSignal } = this.#parts;
    if (rootSignal.aborted || runtimes.get(runtimeId) === undefined) return;
    const now = clock.monotonic();
    for (const [id, { at, inFlight }] of this.#started) if (!inFlight && now - at > limits.hintKept) this.#started.delete(id);
    const last = this.#started.get(runtimeId);
    if (last !== undefined && (last.inFlight || now - last.at < limits.hintSpacing)) return;
    const entry = { at: now, inFlight: true };
    this.#started.set(runtimeId, entry);
    void this.#beat(runtimeId).finally(() => (entry.inFlight = false));
  }

  async #beat(id: string): Promise<void> {
    const { limits, logger, rootSignal } = this.#parts;
    const answer = await this.#parts.beat(id, rootSignal, limits.hintTimeout);
    if (answer.kind === "runtime_gone") this.#parts.runtimeGone(id);
    else if (answer.kind !== "ok" && !rootSignal.aborted) logger.debug("heartbeat after a hint failed", { runtime: id, error: answer.error });
  }
}
