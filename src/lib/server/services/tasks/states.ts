import { TASK_STATES, type TaskState } from "../../../wire/index.ts";

/** States in which a daemon holds the task: they count against the agent's concurrency (server-api.md 11.3). */
export const HELD_STATES = ["dispatched", "waiting_local_directory", "running"] as const satisfies readonly TaskState[];

/** States that a task leaves again. */
export const OPEN_STATES = ["queued", "deferred", ...HELD_STATES] as const satisfies readonly TaskState[];

const TABLE: Readonly<Record<TaskState, readonly TaskState[]>> = {
  queued: ["dispatched", "failed", "cancelled"],
  deferred: ["queued", "failed", "cancelled"],
  dispatched: ["dispatched", "queued", "waiting_local_directory", "running", "failed", "cancelled"],
  waiting_local_directory: ["running", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
};

/** The states from which `to` may be reached: what a compare-and-set on `to` must find (server-api.md 11.1). */
export function statesBefore(to: TaskState): readonly TaskState[] {
  return TASK_STATES.filter((from) => TABLE[from].includes(to));
}

/** Quoted states for an SQL `in (…)`; they are constants of ours, never input. */
export function sqlStates(states: readonly TaskState[]): string {
  return states.map((state) => `'${state}'`).join(", ");
}
