import { MulticaError, errorText } from "../core/index.ts";
import { currentPid, processIdentity, type Clock } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { StateHandle, TaskRecord } from "../state/index.ts";
import type { Task } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import type { Spare } from "./exec/spare.ts";
import { endLeftovers } from "./leftovers.ts";

export interface RecoveryParts {
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leftoverGraceMs: number;
  /** Takes over what earlier runs left under exec hosts, before strays are looked for; answers what a sweep must spare. */
  readonly adopt: (state: StateHandle) => Promise<Spare>;
  /** Tasks that ended with an earlier run. */
  readonly onLost: (tasks: readonly TaskRecord[]) => void;
}

/**
 * Puts right what earlier runs left in a state file that was just opened, in the order of state-db.md 17: this run is
 * written down, their agent processes are ended before anything can reuse a directory, their open tasks are marked lost.
 * Closes the file and throws when it cannot be used or another daemon holds it.
 */
export async function recover(state: StateHandle, parts: RecoveryParts): Promise<StateHandle> {
  const { clock, logger } = parts;
  try {
    const identity = processIdentity(currentPid());
    if (identity === null) throw new MulticaError("bug", "this process has no identity");
    const { crashed } = await state.beginRun({ identity, port: parts.port });
    if (crashed) logger.warn("the run before did not end by itself");
    const spare = await parts.adopt(state);
    await endLeftovers(state.leftoverAgents(), { clock, logger, graceMs: parts.leftoverGraceMs, spare });
    const lost = state.markLost();
    parts.onLost(lost);
    if (lost.length > 0) logger.warn("tasks of an earlier run were lost; the server retries them", { tasks: lost.length });
    return state;
  } catch (error) {
    state.close();
    throw error;
  }
}

/** Writes a claimed task down before anything is prepared. A database in trouble costs crash recovery, never the task. */
export function recordTask(ctx: Pick<DaemonContext, "state" | "logger" | "runtimes">, task: Task): void {
  if (ctx.state === null) return;
  try {
    ctx.state.insertTask({
      task_id: task.id,
      workspace_id: task.workspace_id,
      runtime_id: task.runtime_id,
      agent_id: task.agent_id,
      issue_id: task.issue_id ?? null,
      chat_session_id: task.chat_session_id ?? null,
      autopilot_run_id: task.autopilot_run_id ?? null,
      provider: ctx.runtimes.get(task.runtime_id)?.provider ?? "",
      prior_session_id: task.prior_session_id ?? null,
    });
  } catch (error) {
    ctx.logger.warn("task not written to the state file", { task: task.id, error: errorText(error) });
  }
}

/** Ends the run in the state file; a failure only costs the note that the stop was clean. */
export function closeState(state: StateHandle | null, reason: "clean" | "restart" | "fatal", logger: Logger): void {
  if (state === null) return;
  try {
    state.endRun(reason);
  } catch (error) {
    logger.warn("end of the run not written to the state file", { error: errorText(error) });
  }
  state.close();
}
