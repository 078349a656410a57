import { TASK_MARKER } from "../core/index.ts";
import type { ProcessIdentity } from "../platform/index.ts";
import { type Clock, findByEnv, identityAlive, terminateTree } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { Spare } from "./exec/spare.ts";

/** A task of an earlier run whose agent may still live. */
export interface LeftoverAgent {
  readonly taskId: string;
  /** Null when the agent's process was never written down. */
  readonly identity: ProcessIdentity | null;
}

export interface EndParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly graceMs: number;
  /** Processes of the task that have a life of their own. */
  readonly spare?: Spare;
}

/**
 * Ends the processes that tasks of earlier runs left, before anything can reuse their directories (state-db.md 17, step 4):
 * two agents in one working directory is the worst outcome. A process is only touched when its identity
 * (pid, start, boot) is the recorded one or when it bears the task's marker. Answers the tasks that could not be cleared.
 */
export async function endLeftovers(
  leftovers: readonly LeftoverAgent[],
  parts: EndParts,
): Promise<string[]> {
  const results = await Promise.all(leftovers.map((leftover) => endOne(leftover, parts)));
  return leftovers.filter((_, index) => results[index] === false).map((leftover) => leftover.taskId);
}

async function endOne(leftover: LeftoverAgent, parts: EndParts): Promise<boolean> {
  const alive = leftover.identity !== null && identityAlive(leftover.identity);
  if (!alive && findByEnv(TASK_MARKER, leftover.taskId).length === 0) return true;
  parts.logger.warn("ending an agent left by an earlier run", { task: leftover.taskId, pid: alive ? leftover.identity?.pid : undefined });
  const result = await terminateTree({
    ...(alive && leftover.identity !== null ? { pid: leftover.identity.pid } : {}),
    marker: { name: TASK_MARKER, value: leftover.taskId },
    ...(parts.spare === undefined ? {} : { spare: parts.spare }),
    graceMs: parts.graceMs,
    clock: parts.clock,
  });
  if (!result.gone) parts.logger.error("agent of an earlier run does not end", { task: leftover.taskId, survivors: result.survivors });
  return result.gone;
}
