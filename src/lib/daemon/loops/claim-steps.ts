import { errorText } from "../../core/index.ts";
import { deadline } from "../../platform/index.ts";
import type { Task } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { ClaimAnswer } from "./claim-answer.ts";
import type { ClaimHistory } from "./claim-history.ts";
import type { Mailbox } from "../mailbox.ts";

export interface ClaimParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "slots" | "barrier" | "runtimes" | "rootSignal"> {
  readonly pollIntervalMs: number;
  /** The socket offers claims now; asking over it takes longer, because HTTP may follow. */
  overSocket?(): boolean;
  claimBatch(runtimeIds: readonly string[], maxTasks: number, signal: AbortSignal, way: "socket" | "http"): Promise<ClaimAnswer>;
  claimSingle(runtimeId: string, signal: AbortSignal): Promise<ClaimAnswer>;
  /** Told of every claim that was answered, or was not. */
  readonly history?: Pick<ClaimHistory, "note">;
  /** Starts the recovery of a runtime the server does not know; must not be awaited here. */
  runtimeGone(runtimeId: string): void;
  /** The pipeline has this task already. */
  isInside(taskId: string): boolean;
  /** Writes the task down before anything is prepared; failures are the callee's business. */
  record(task: Task): void;
  /** Hands a claimed task and its slot to the pipeline. */
  dispatch(task: Task, slot: number): void;
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
 * Surplus tasks (a server's mistake) run through no pipeline: their lease brings them back. Nor does one that is inside
 * already: its lease could not be renewed in time, and two pipelines would end each other's work.
 */
export function handOut(parts: ClaimParts, tasks: readonly Task[], held: number[]): "again" | "sleep" {
  for (const task of tasks) {
    if (parts.isInside(task.id)) {
      parts.logger.warn("a task that is being prepared here was handed out again; its preparation goes on", { task: task.id });
      continue;
    }
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
