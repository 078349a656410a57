import { TASK_MARKER, errorText } from "../../core/index.ts";
import { type Clock, terminateTree } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Spare } from "../exec/spare.ts";

/** What a task took and must give back, whatever happens to it. */
export interface Releases {
  /** `undo` runs once, after everything that was added later. */
  add(what: string, undo: () => void | Promise<void>): void;
  /** Gives everything back in reverse order; a failure is a warning and stops nothing. Never rejects. */
  run(): Promise<void>;
}

/** A stack of clean-ups for one task (daemon.md 11.16). */
export function createReleases(logger: Logger): Releases {
  const stack: { readonly what: string; readonly undo: () => void | Promise<void> }[] = [];
  return {
    add: (what, undo) => void stack.push({ what, undo }),
    async run() {
      for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
        try {
          await entry.undo();
        } catch (error) {
          logger.warn("clean-up failed", { what: entry.what, error: errorText(error) });
        }
      }
    },
  };
}

const GRACE_MS = 2000;
const AGAIN_MS = 5000;

/**
 * Ends everything that bears the task's marker, wherever it moved itself: shells, servers, grandchildren in sessions of
 * their own, but not what was registered to outlive the task (decision 17). True when it was seen that nothing is left.
 */
export async function sweepTask(clock: Clock, taskId: string, spare: Spare): Promise<boolean> {
  return (await terminateTree({ marker: { name: TASK_MARKER, value: taskId }, spare, graceMs: GRACE_MS, clock })).gone;
}

/**
 * Resolves only when the agent is gone and no process of the task lives: until then its slot and its directories
 * belong to it, because something still writes there.
 */
export async function untilGone(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly taskId: string;
  readonly agentsFinished: Promise<unknown>;
  /** Asked at each look. */
  readonly spare: () => Spare;
}): Promise<void> {
  const { clock, logger, taskId } = options;
  await options.agentsFinished;
  for (;;) {
    // An error proves nothing either.
    const gone = await sweepTask(clock, taskId, options.spare()).catch((error: unknown) => errorText(error));
    if (gone === true) return;
    logger.warn("processes of the task are not proved gone; its slot and directory stay taken", { task: taskId, cause: gone || "alive" });
    await clock.sleep(AGAIN_MS);
  }
}
