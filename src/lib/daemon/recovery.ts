import { errorText } from "../core/index.ts";
import { currentPid, processIdentity, type Clock } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { openState, type StateHandle } from "../state/index.ts";
import type { Task } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import { endLeftovers } from "./leftovers.ts";

export interface RecoveryParts {
  readonly stateDir: string;
  readonly version: string;
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leftoverGraceMs: number;
}

/**
 * Opens the state file and puts right what earlier runs left, in the order of state-db.md 17: this run is written down,
 * their agent processes are ended before anything can reuse a directory, their open tasks are marked lost.
 * Throws when the file cannot be used or another daemon holds it; the caller starts without one only when told to.
 */
export async function openAndRecover(parts: RecoveryParts): Promise<StateHandle> {
  const { clock, logger } = parts;
  const state = await openState({ stateDir: parts.stateDir, version: parts.version, clock, logger });
  try {
    const identity = processIdentity(currentPid());
    if (identity !== null) await state.beginRun({ identity, port: parts.port });
    const leftovers = await state.leftoverAgents();
    await endLeftovers(leftovers, { clock, logger, graceMs: parts.leftoverGraceMs });
    const lost = await state.markLost();
    if (lost.length > 0) logger.warn("tasks of an earlier run were lost; the server retries them", { tasks: lost.length });
    return state;
  } catch (error) {
    await state.close();
    throw error;
  }
}

/** Writes a claimed task down before anything is prepared. A database in trouble costs crash recovery, never the task. */
export async function recordTask(ctx: Pick<DaemonContext, "state" | "logger" | "clock" | "runtimes">, task: Task): Promise<void> {
  if (ctx.state === null) return;
  try {
    await ctx.state.insertTask({
      task_id: task.id,
      workspace_id: task.workspace_id,
      runtime_id: task.runtime_id,
      agent_id: task.agent_id,
      issue_id: task.issue_id ?? null,
      provider: ctx.runtimes.get(task.runtime_id)?.provider ?? "",
      prior_session_id: task.prior_session_id ?? null,
    });
  } catch (error) {
    ctx.logger.warn("task not written to the state file", { task: task.id, error: errorText(error) });
  }
}

/** Ends the run in the state file; a failure only costs the note that the stop was clean. */
export async function closeState(state: StateHandle | null, reason: "clean" | "fatal", logger: Logger): Promise<void> {
  if (state === null) return;
  try {
    await state.endRun(reason);
  } catch (error) {
    logger.warn("end of the run not written to the state file", { error: errorText(error) });
  }
  await state.close();
}
