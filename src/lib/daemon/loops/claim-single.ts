import { sha256Hex } from "../../core/index.ts";
import { Mailbox } from "../mailbox.ts";
import { ask, type ClaimParts, handOut, takeSlot } from "./claim-steps.ts";

interface Poller {
  readonly box: Mailbox;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** How far into the interval a runtime's poller starts: stable over restarts, spread over runtimes and machines. */
export function startOffset(runtimeId: string, intervalMs: number): number {
  return intervalMs <= 0 ? 0 : Number.parseInt(sha256Hex(runtimeId).slice(0, 8), 16) % intervalMs;
}

/**
 * One poller a runtime, so that one slow answer delays no other runtime (daemon.md 10.2).
 * Stopping a poller never touches the tasks it started.
 */
export class SinglePollers {
  readonly #parts: ClaimParts;
  readonly #pollers = new Map<string, Poller>();
  readonly #changed = new Mailbox();
  #stopping = false;

  constructor(parts: ClaimParts) {
    this.#parts = parts;
  }

  wake(runtimeId?: string): void {
    if (runtimeId === undefined) for (const poller of this.#pollers.values()) poller.box.post();
    else this.#pollers.get(runtimeId)?.box.post();
  }

  /** Looks at the set of runtimes again. */
  refresh(): void {
    this.#changed.post();
  }

  /** Ends the single mode; a claim in flight is finished first, so that both modes never ask at once. */
  stop(): void {
    this.#stopping = true;
    this.#changed.post();
  }

  /** Starts and stops pollers until `stop` or the root signal; resolves when all have ended. */
  async run(): Promise<void> {
    const { clock, rootSignal } = this.#parts;
    const ended: Promise<void>[] = [];
    while (!this.#stopping && !rootSignal.aborted) {
      this.#match();
      await this.#changed.wait(clock, Infinity, rootSignal);
    }
    for (const poller of this.#pollers.values()) {
      poller.stop.abort();
      ended.push(poller.done);
    }
    await Promise.all(ended);
  }

  #match(): void {
    const wanted = new Set(this.#parts.runtimes.ids());
    for (const [id, poller] of this.#pollers) {
      if (wanted.has(id)) continue;
      poller.stop.abort();
      this.#pollers.delete(id);
    }
    for (const id of wanted) {
      if (this.#pollers.has(id)) continue;
      const box = new Mailbox();
      const stop = new AbortController();
      this.#pollers.set(id, { box, stop, done: this.#poll(id, box, AbortSignal.any([stop.signal, this.#parts.rootSignal])) });
    }
  }

  async #poll(id: string, box: Mailbox, signal: AbortSignal): Promise<void> {
    const { clock, pollIntervalMs } = this.#parts;
    await box.wait(clock, startOffset(id, pollIntervalMs), signal);
    while (!signal.aborted) {
      const next = await this.#cycle(id, box, signal);
      if (next === "end") return;
      if (next === "sleep") await box.wait(clock, pollIntervalMs, signal);
    }
  }

  async #cycle(id: string, box: Mailbox, signal: AbortSignal): Promise<"again" | "sleep" | "end"> {
    const { slots, barrier, limits, logger } = this.#parts;
    const slot = await takeSlot({ ...this.#parts, rootSignal: signal }, box);
    if (slot === null) return "again";
    const held = [slot];
    if (signal.aborted || !barrier.tryEnterClaim()) {
      slots.release(slot);
      return "sleep";
    }
    try {
      // On the root signal: stopping this poller must not lose a task that is already on its way.
      const asked = { at: this.#parts.clock.now(), max: 1 };
      const answer = await ask(this.#parts, limits.singleClaimTimeout, (limit) => this.#parts.claimSingle(id, limit));
      this.#parts.history?.note([id], asked, answer);
      if (answer.kind === "tasks") return handOut(this.#parts, answer.tasks, held);
      if (answer.kind === "runtime_gone") {
        this.#parts.runtimeGone(id);
        return "end";
      }
      if (!this.#parts.rootSignal.aborted) logger.warn("claim task failed", { runtime: id, error: answer.kind === "failed" ? answer.error : answer.kind });
      return "sleep";
    } finally {
      barrier.exitClaim();
      for (const unused of held) slots.release(unused);
    }
  }
}
