import type { UserApi } from "../../api/index.ts";
import { MulticaError } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import { type Issue, type TaskRow, isTerminalState } from "../../wire/index.ts";
import type { SetupEvent } from "../events.ts";

export interface FollowOptions {
  readonly api: UserApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly issue: Issue;
  readonly emit: (event: SetupEvent) => void;
  readonly limitMs: number;
}

export interface Followed {
  readonly task: TaskRow;
  readonly messages: number;
}

const POLL_MS = 100;

/** Waits until the issue has a task and returns it as soon as an agent works on it (or it has ended already). */
export async function waitForStart(options: FollowOptions): Promise<TaskRow> {
  return waitForTask(options, (task) => task.status === "running" || isTerminalState(task.status), "the daemon to start the task");
}

/** Follows the newest task of the issue to its end, handing on its messages as they arrive. Throws `task_failed` unless it completed. */
export async function followTask(options: FollowOptions): Promise<Followed> {
  let seen = 0;
  let messages = 0;
  let taskId = "";
  const drain = async (task: TaskRow): Promise<void> => {
    if (task.id !== taskId) [taskId, seen] = [task.id, 0];
    for (const message of await options.api.taskMessages(task.id, seen)) {
      seen = Math.max(seen, message.seq);
      messages += 1;
      options.emit({ type: "message", message });
    }
  };
  const task = await waitForTask(options, async (candidate) => {
    const ended = isTerminalState(candidate.status);
    await drain(candidate);
    return ended;
  }, "the task to end");
  if (task.status !== "completed") {
    throw new MulticaError("task_failed", `the task ended as ${task.status}: ${task.error ?? task.failure_reason ?? "no reason given"}`);
  }
  return { task, messages };
}

async function waitForTask(
  options: FollowOptions,
  accept: (task: TaskRow) => boolean | Promise<boolean>,
  what: string,
): Promise<TaskRow> {
  const limit = options.clock.monotonic() + options.limitMs;
  for (;;) {
    const task = (await options.api.taskRuns(options.issue.id))[0];
    if (task !== undefined && (await accept(task))) return task;
    if (options.clock.monotonic() > limit) {
      throw new MulticaError("quickstart_timeout", `waited ${Math.round(options.limitMs / 1000)} s for ${what}; it is ${task?.status ?? "not queued"}`);
    }
    await options.clock.sleep(POLL_MS, options.signal);
  }
}
