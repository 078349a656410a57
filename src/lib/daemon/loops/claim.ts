import { Mailbox } from "../mailbox.ts";
import { SinglePollers } from "./claim-single.ts";
import { ask, type ClaimParts, handOut, takeSlot } from "./claim-steps.ts";

/**
 * Turns queue entries into running tasks, a slot always before a claim (daemon.md 10). Batch mode has one poller;
 * a server without the batch route gets one poller a runtime until the socket connects the next time.
 */
export class ClaimLoop {
  readonly #parts: ClaimParts;
  readonly #box = new Mailbox();
  #single: SinglePollers | null = null;
  /** The runtime that got the last task: the others are asked for first. */
  #served: string | null = null;
  /** When the time after an uncertain claim is over (monotonic); null: there was none. */
  #uncertainUntil: number | null = null;

  constructor(parts: ClaimParts) {
    this.#parts = parts;
  }

  get mode(): "batch" | "single" {
    return this.#single === null ? "batch" : "single";
  }

  /** Asks now: every poller, or in single mode only the one of `runtimeId`. */
  wake(runtimeId?: string): void {
    if (this.#single === null) this.#box.post();
    else this.#single.wake(runtimeId);
  }

  /** The server may have been upgraded: back to batch claims. */
  resetMode(): void {
    this.#single?.stop();
  }

  /** Runs until the root signal aborts. Never throws. */
  async run(): Promise<void> {
    const { rootSignal, runtimes } = this.#parts;
    const changes = runtimes.changes.subscribe();
    const forward = this.#forwardChanges(changes);
    while (!rootSignal.aborted) {
      await this.#batchUntilUnsupported();
      if (rootSignal.aborted) break;
      this.#parts.logger.info("server has no batch claims; falling back to single claims");
      this.#single = new SinglePollers(this.#parts);
      await this.#single.run();
      this.#single = null;
    }
    runtimes.changes.unsubscribe(changes);
    await forward;
  }

  /** A changed set of runtimes is a reason to ask at once. */
  async #forwardChanges(changes: Mailbox): Promise<void> {
    const { clock, rootSignal } = this.#parts;
    while ((await changes.wait(clock, Infinity, rootSignal)) === "signal") {
      if (this.#single === null) this.#box.post();
      else this.#single.refresh();
    }
  }

  async #batchUntilUnsupported(): Promise<void> {
    const { rootSignal } = this.#parts;
    while (!rootSignal.aborted) {
      const next = await this.#cycle();
      if (next === "unsupported") return;
      if (next === "sleep") await this.#box.wait(this.#parts.clock, this.#pause(), rootSignal);
    }
  }

  /** Until the next look without a wake-up. */
  #pause(): number {
    const { clock, pollIntervalMs } = this.#parts;
    const left = (this.#uncertainUntil ?? 0) - clock.monotonic();
    return left > 0 ? Math.min(pollIntervalMs, left) : pollIntervalMs;
  }

  async #cycle(): Promise<"again" | "sleep" | "unsupported"> {
    const { clock, runtimes, slots, barrier, limits, logger } = this.#parts;
    const ids = inTurn(runtimes.ids(), this.#served);
    // After an uncertain claim its tasks may be on their way: nothing is asked, then once over HTTP (daemon.md 10.3).
    const uncertain = this.#uncertainUntil;
    if (ids.length === 0 || (uncertain !== null && clock.monotonic() < uncertain)) return "sleep";
    const first = await takeSlot(this.#parts, this.#box);
    if (first === null) return "again";
    const held = [first, ...slots.takeFree(limits.tasksPerClaim - 1)];
    if (!barrier.tryEnterClaim()) {
      for (const slot of held) slots.release(slot);
      return "sleep";
    }
    try {
      this.#uncertainUntil = null;
      const asked = { at: clock.now(), max: held.length };
      const way = uncertain === null && this.#parts.overSocket?.() === true ? "socket" : "http";
      const limit = limits.batchClaimTimeout + (way === "http" ? 0 : limits.batchClaimTimeout + limits.rpcGrace);
      const answer = await ask(this.#parts, limit, (signal) => this.#parts.claimBatch(ids, held.length, signal, way));
      this.#parts.history?.note(ids, asked, answer);
      if (answer.kind === "uncertain") this.#uncertainUntil = clock.monotonic() + limits.uncertainWindow;
      if (answer.kind === "unsupported") return "unsupported";
      if (answer.kind === "tasks") {
        this.#served = answer.tasks.at(-1)?.runtime_id ?? this.#served;
        return handOut(this.#parts, answer.tasks, held);
      }
      if (answer.kind === "runtime_gone" && answer.runtimeId !== null) this.#parts.runtimeGone(answer.runtimeId);
      else if (!this.#parts.rootSignal.aborted) logger.warn("batch claim failed", { error: answer.kind === "failed" ? answer.error : answer.kind });
      return "sleep";
    } finally {
      barrier.exitClaim();
      for (const slot of held) slots.release(slot);
    }
  }
}

/**
 * The ids behind the one that was served last come first. A server goes through them in the order they are given: with few
 * free slots and always the same order, the last ones would wait as long as the first ones have work.
 */
function inTurn(ids: readonly string[], served: string | null): string[] {
  const at = served === null ? 0 : ids.findIndex((id) => id > served);
  return at <= 0 ? [...ids] : [...ids.slice(at), ...ids.slice(0, at)];
}
