import { RequestError } from "../api/index.ts";
import { errorText, formatDuration, isMulticaError } from "../core/index.ts";
import { deadline } from "../platform/index.ts";
import type { TaskRow } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ClaimHistory } from "./loops/claim-history.ts";

export type WaitReason =
  /** Claimed and inside the pipeline: it is being prepared. */
  | "starting"
  /** Handed out, but the answer never came here: the server hands it out again when its lease is over. */
  | "lost_claim"
  | "stopping"
  | "paused"
  | "disk"
  | "unknown_runtime"
  | "recovering"
  | "no_slot"
  | "server_failed"
  | "uncertain_claim"
  | "not_asked_yet"
  | "next_turn"
  | "agent_busy"
  | "held_by_server";

/** A task that the server keeps for a runtime of this machine, and why it does not run yet. */
export interface WaitingTask {
  readonly task_id: string;
  readonly runtime_id: string;
  readonly agent_id: string;
  readonly status: string;
  readonly queued_at: string | null;
  readonly reason: WaitReason;
  readonly text: string;
}

export interface QueueParts extends Pick<DaemonContext, "api" | "barrier" | "clock" | "logger" | "runtimes" | "rootSignal" | "slots"> {
  readonly state: () => DaemonContext["state"];
  readonly history: ClaimHistory;
  readonly dispatcher: Pick<Dispatcher, "has" | "agentTasks">;
  readonly pollIntervalMs: number;
  mayClaim(runtimeId: string): boolean;
}

/** Why this task does not run: from what the daemon knows at this moment, first what stands in every task's way. */
export function waitReason(parts: Omit<QueueParts, "api" | "logger">, row: Pick<TaskRow, "id" | "agent_id" | "runtime_id" | "status" | "created_at">): { readonly reason: WaitReason; readonly text: string } {
  const { barrier, clock, runtimes, rootSignal, slots, history } = parts;
  const say = (reason: WaitReason, text: string): { reason: WaitReason; text: string } => ({ reason, text });
  const runtimeId = row.runtime_id ?? "";
  if (parts.dispatcher.has(row.id)) return say("starting", "it has been claimed and is being prepared");
  if (row.status === "dispatched") return say("lost_claim", "it was handed out, but the answer was lost; the server hands it out again when its lease is over");
  if (rootSignal.aborted || barrier.closed) return say("stopping", "the daemon is stopping");
  if (runtimes.get(runtimeId) === undefined) return say("unknown_runtime", "the daemon does not serve its runtime at the moment");
  if (barrier.paused) return say("paused", "nothing is claimed while the daemon is updated, restarted or changes its agents");
  const trouble = parts.state()?.trouble ?? null;
  if (trouble !== null && trouble !== "busy") return say("disk", "nothing is claimed while the daemon cannot write its state file");
  if (!parts.mayClaim(runtimeId)) return say("recovering", "results of an earlier run are delivered first");
  if (slots.freeCount === 0) return say("no_slot", `all ${slots.count} slots are taken`);
  const last = history.last(runtimeId);
  if (last?.kind === "uncertain") return say("uncertain_claim", "the answer to the last claim was lost; the daemon waits before it asks again");
  if (last !== undefined && last.kind !== "tasks") return say("server_failed", `the last claim failed: ${last.error === "" ? last.kind : last.error}`);
  const queuedAt = Date.parse(row.created_at ?? "");
  if (last === undefined || last.at < queuedAt) return say("not_asked_yet", `the server has not been asked since it was queued; it is at least every ${formatDuration(parts.pollIntervalMs)}`);
  if (last.full) return say("next_turn", "more tasks wait than were asked for; the server is asked again as long as slots are free");
  const busy = parts.dispatcher.agentTasks(row.agent_id);
  if (busy > 0) return say("agent_busy", `its agent has ${busy === 1 ? "a task" : `${busy} tasks`} running here, and the server holds it back meanwhile`);
  return say("held_by_server", `the server did not hand it out ${formatDuration(Math.max(0, Math.round((clock.now() - last.at) / 1000) * 1000))} ago`);
}

export interface QueueSnapshot {
  /** When the server was asked; null: not yet. */
  readonly as_of: string | null;
  /** Why the picture is not whole; null when it is. */
  readonly error: string | null;
  readonly tasks: readonly WaitingTask[];
}

const LOOKS_AT_ONCE = 8;
const LOOK_MS = 1500;

function whyNot(error: unknown): string {
  if (isMulticaError(error, "timeout")) return "the server did not answer in time";
  return error instanceof RequestError && error.status === 401 ? "the server does not accept the daemon's token; `multica login` stores a new one" : errorText(error);
}

/** The tasks that wait for this machine. The server is asked only when somebody wants to know. */
export class QueueView {
  readonly #parts: QueueParts;
  #rows: readonly TaskRow[] = [];
  #asOf: number | null = null;
  #error: string | null = null;
  #looking: Promise<void> | null = null;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** What the last look has shown, with the reasons of this moment. */
  snapshot(): QueueSnapshot {
    const tasks = this.#rows.map((row) => ({
      task_id: row.id,
      runtime_id: row.runtime_id ?? "",
      agent_id: row.agent_id,
      status: row.status,
      queued_at: row.created_at ?? null,
      ...waitReason(this.#parts, row),
    }));
    return { as_of: this.#asOf === null ? null : new Date(this.#asOf).toISOString(), error: this.#error, tasks };
  }

  /** Asks the server, at most for a second and a half; callers that come meanwhile share the look. Never throws. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = null)));
  }

  async #look(): Promise<void> {
    const { api, clock, runtimes, rootSignal } = this.#parts;
    const limit = deadline(clock, LOOK_MS, rootSignal);
    const ids = runtimes.ids();
    this.#parts.history.keep(ids);
    const rows: TaskRow[] = [];
    let failed: unknown;
    const work = async (): Promise<void> => {
      for (let id = ids.shift(); id !== undefined && failed === undefined; id = ids.shift()) {
        try {
          rows.push(...(await api.pendingTasks(id, { signal: limit.signal })));
        } catch (error) {
          failed ??= error;
        }
      }
    };
    try {
      await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, work));
    } finally {
      limit.done();
    }
    this.#asOf = clock.now();
    this.#error = failed === undefined ? null : whyNot(failed);
    // What could not be asked is not known to be gone.
    if (failed === undefined) this.#rows = rows;
  }
}
