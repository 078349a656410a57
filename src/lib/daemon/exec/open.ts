import { errorText } from "../../core/index.ts";
import { type ExecService, createExecService } from "../../exec/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { StateHandle } from "../../state/index.ts";

export interface OpenExecParts {
  readonly stateDir: string;
  readonly state: StateHandle | null;
  /** Counter of this run: hosts obey the greater one. */
  readonly epoch: number;
  readonly daemonId: string;
  readonly autoReattach: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes the service and takes the hosts of earlier runs over (exec-sessions.md 20.1); a host that does not answer is only a warning. */
export async function openExec(parts: OpenExecParts): Promise<ExecService> {
  const { state, clock, logger, env, stateDir, epoch, autoReattach } = parts;
  const exec = createExecService({
    stateDir,
    // Without the file the machine's daemon id stands for it: it lasts as long as the state directory.
    instanceId: state?.instanceId ?? parts.daemonId,
    epoch,
    journal: state?.exec ?? null,
    clock,
    logger: logger.child({ component: "exec" }),
    env,
    autoReattach,
  });
  try {
    const found = await exec.adopt();
    if (found.adopted + found.exited + found.lost > 0) logger.info("processes of earlier runs", { ...found });
  } catch (error) {
    logger.error("processes of earlier runs could not be taken over", { error: errorText(error) });
  }
  return exec;
}
