import { join } from "node:path";
import { errorText } from "../../core/index.ts";
import { type ExecService, createExecService } from "../../exec/index.ts";
import { type Clock, ensureDir, privateDirectory, readTextIfExists, writeFileAtomic } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { StateHandle } from "../../state/index.ts";

export interface OpenExecParts {
  readonly stateDir: string;
  readonly state: StateHandle | null;
  /** Number of this run: hosts obey the greatest one. */
  readonly epoch: number;
  readonly daemonId: string;
  readonly autoReattach: boolean;
  readonly launcher: "auto" | "plain" | "systemd-run";
  readonly clock: Clock;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string>>;
}

/** Who all hosts below a state directory belong to: named once, so that runs with, without and with a new state file are one. */
async function hostsOwner(stateDir: string, otherwise: string): Promise<string> {
  const path = join(stateDir, "exec", "instance");
  const known = ((await readTextIfExists(path)) ?? "").trim();
  if (/^[A-Za-z0-9-]{8,64}$/.test(known)) return known;
  await ensureDir(stateDir);
  privateDirectory(join(stateDir, "exec"));
  await writeFileAtomic(path, `${otherwise}\n`, { mode: 0o600 });
  return otherwise;
}

/** Makes the service and takes the hosts of earlier runs over (exec-sessions.md 20.1); a host that does not answer is only a warning. */
export async function openExec(parts: OpenExecParts): Promise<ExecService> {
  const { state, clock, logger, env, stateDir, epoch, autoReattach, launcher } = parts;
  const exec = createExecService({
    stateDir,
    instanceId: await hostsOwner(stateDir, state?.instanceId ?? parts.daemonId),
    epoch,
    journal: state?.exec ?? null,
    clock,
    logger: logger.child({ component: "exec" }),
    env,
    autoReattach,
    launcher,
  });
  try {
    const found = await exec.adopt();
    if (found.adopted + found.exited + found.lost > 0) logger.info("processes of earlier runs", { ...found });
  } catch (error) {
    logger.error("processes of earlier runs could not be taken over", { error: errorText(error) });
  }
  return exec;
}
