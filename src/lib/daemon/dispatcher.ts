import { errorText } from "../core/index.ts";
import type { Task } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import type { Adopted } from "./task/hosted/adopted.ts";

/** The pipeline's entry: resolves when everything the task took is released; must not reject. */
export type RunTask = (task: Task, slot: number, adopted?: Adopted) => Promise<void>;

/** Claimed tasks on their way into the pipeline, and the set of those inside. */
export interface Dispatcher {
  /** Hands a task over with its slot; both come back by themselves when the pipeline ends. */
  dispatch(task: Task, slot: number, adopted?: Adopted): void;
  /** Waits until no task is inside, at most `ms`; false when some still are. */
  drain(ms: number): Promise<boolean>;
  /** True while a task of this runtime is inside. */
  usesRuntime(runtimeId: string): boolean;
  has(taskId: string): boolean;
  /** Ids of the tasks inside. */
  ids(): string[];
  /** How many tasks of this agent are inside. */
  agentTasks(agentId: string): number;
  readonly size: number;
}

type Parts = Pick<DaemonContext, "clock" | "logger" | "slots" | "barrier" | "wake">;

/** Counts every task in the barrier before the claim is counted out (daemon.md 10.4) and wakes the claim loop when one ends. */
export function createDispatcher(parts: Parts, runTask: RunTask): Dispatcher {
  const inside = new Map<Promise<void>, Task>();

  const run = async (task: Task, slot: number, adopted: Adopted | undefined): Promise<void> => {
    try {
      await runTask(task, slot, adopted);
    } catch (error) {
      parts.logger.error("task pipeline threw", { task: task.id, error: errorText(error) });
    } finally {
      parts.slots.release(slot);
      parts.barrier.taskEnded();
      parts.wake();
    }
  };

  return {
    dispatch(task, slot, adopted) {
      parts.barrier.taskStarted();
      const done = run(task, slot, adopted);
      inside.set(done, task);
      void done.finally(() => inside.delete(done));
    },
    async drain(ms) {
      if (inside.size === 0) return true;
      const limit = Promise.withResolvers<false>();
      const cancel = parts.clock.setTimer(ms, () => limit.resolve(false));
      try {
        return await Promise.race([Promise.all(inside.keys()).then(() => true), limit.promise]);
      } finally {
        cancel();
      }
    },
    agentTasks: (agentId) => [...inside.values()].filter((task) => task.agent_id === agentId).length,
    usesRuntime: (runtimeId) => [...inside.values()].some((task) => task.runtime_id === runtimeId),
    has: (taskId) => [...inside.values()].some((task) => task.id === taskId),
    ids: () => [...inside.values()].map((task) => task.id),
    get size() {
      return inside.size;
    },
  };
}
