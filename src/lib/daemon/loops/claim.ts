import { errorText } from "../../core/index.ts";
import { deadline } from "../../platform/index.ts";
import type { Task } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import { Mailbox } from "../mailbox.ts";
import { SinglePollers } from "./claim-single.ts";

/** What asking for work can answer; `unsupported` = the server has no batch route. */
export type ClaimAnswer =
  | { readonly kind: "tasks"; readonly tasks: readonly Task[] }
  | { readonly kind: "unsupported" }
  | { readonly kind: "runtime_gone"; readonly runtimeId: string | null }
  | { readonly kind: "failed"; readonly error: string };

export interface ClaimParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "slots" | "barrier" | "runtimes" | "rootSignal"> {
  readonly pollIntervalMs: number;
  claimBatch(runtimeIds: readonly string[], maxTasks: number, signal: AbortSignal): Promise<ClaimAnswer>;
  claimSingle(runtimeId: string, signal: AbortSignal): Promise<ClaimAnswer>;
  /** Starts the recovery of a runtime the server does not know; must not be awaited here. */
  runtimeGone(runtimeId: string): void;
  /** Writes the task down before anything is prepared; failures are the callee's business. */
  record(task: Task): void;
  /** Hands a claimed task and its slot to the pipeline. */
  dispatch(task: Task, slot: number): void;
}

/**
 * Turns queue entries into running tasks, a slot always before a claim (daemon.md 10). Batch mode has one poller;
 * a server without the batch route gets one poller a runtime until the socket connects the next time.
 */
export class ClaimLoop {
  readonly #parts: ClaimParts;
  readonly #box = new Mailbox();
  #single: SinglePollers | null = null;

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
      if (next === "sleep") await this.#box.wait(this.#parts.clock, this.#parts.pollIntervalMs, rootSignal);
    }
  }

  async #cycle(): Promise<"again" | "sleep" | "unsupported"> {
    const { runtimes, slots, barrier, limits, logger } = this.#parts;
    const ids = runtimes.ids();
    if (ids.length === 0) return "sleep";
    const first = await takeSlot(this.#parts, this.#box);
    if (first === null) return "again";
    const held = [first, ...slots.takeFree(limits.tasksPerClaim - 1)];
    if (!barrier.tryEnterClaim()) {
      for (const slot of held) slots.release(slot);
      return "sleep";
    }
    try {
      const answer = await ask(this.#parts, limits.batchClaimTimeout, (signal) => this.#parts.claimBatch(ids, held.length, signal));
      if (answer.kind === "unsupported") return "unsupported";
      if (answer.kind === "tasks") return handOut(this.#parts, answer.tasks, held);
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
 * A slot at once, or after a short wait; null when the caller has to begin its cycle anew:
 * it was woken, the back-off has passed, or the daemon stops (daemon.md 10.1).
 */
export async function takeSlot(parts: ClaimParts, box: Mailbox): Promise<number | null> {
  const { clock, limits, slots, rootSignal, pollIntervalMs } = parts;
  const now = slots.tryTake();
  if (now !== null || rootSignal.aborted) return now;
  const stop = slots.onRelease(() => box.post());
  try {
    if ((await box.wait(clock, limits.slotWait, rootSignal)) !== "timeout") return null;
    const pause = pollIntervalMs > 0 ? Math.min(limits.capacityBackoffMax, pollIntervalMs) : limits.capacityBackoffMax;
    await box.wait(clock, pause, rootSignal);
    return null;
  } finally {
    stop();
  }
}

/** Sends one claim with a time limit; whatever it throws becomes an answer. */
export async function ask(parts: ClaimParts, limitMs: number, send: (signal: AbortSignal) => Promise<ClaimAnswer>): Promise<ClaimAnswer> {
  const limit = deadline(parts.clock, limitMs, parts.rootSignal);
  try {
    return await send(limit.signal);
  } catch (error) {
    return { kind: "failed", error: errorText(error) };
  } finally {
    limit.done();
  }
}

/**
 * Records and dispatches the tasks of an answer, one slot each; used slots leave `held`.
 * Surplus tasks (a server's mistake) run through no pipeline: their lease brings them back.
 */
export function handOut(parts: ClaimParts, tasks: readonly Task[], held: number[]): "again" | "sleep" {
  for (const task of tasks) {
    if (held.length === 0) {
      parts.logger.error("more tasks claimed than slots were offered", { task: task.id });
      continue;
    }
    parts.logger.info("task received", { task: task.id, issue: task.issue_id ?? undefined, runtime: task.runtime_id });
    parts.record(task);
    const slot = held.shift();
    if (slot !== undefined) parts.dispatch(task, slot);
  }
  return tasks.length > 0 && held.length === 0 ? "again" : "sleep";
}
