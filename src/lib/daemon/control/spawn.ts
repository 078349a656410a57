import { type BackgroundLog, type Env, type ExitFacts, openBackgroundLog, spawnBackground } from "../../platform/index.ts";
import { errorText } from "../../core/index.ts";
import { daemonPaths, writePid } from "../files.ts";
import type { RestartTarget } from "../update/target.ts";

const CRASH_LOG_ROLL_BYTES = 5 << 20;

export interface SpawnedDaemon {
  readonly pid: number;
  readonly exited: Promise<ExitFacts>;
  /** Where this attempt's part of the crash log begins. */
  readonly crashOffset: number;
  readonly warnings: readonly string[];
}

/** Starts a daemon as a process of its own, its output to the crash log, and writes its pid (daemon.md 2.2). Rejects with `spawn_failed`. */
export async function spawnDaemon(options: { readonly target: RestartTarget; readonly stateDir: string; readonly flags: readonly string[]; readonly env: Readonly<Env> }): Promise<SpawnedDaemon> {
  const { target, stateDir, flags, env } = options;
  const crash: BackgroundLog = openBackgroundLog(daemonPaths(stateDir).crashLog, CRASH_LOG_ROLL_BYTES);
  const { pid, exited } = await spawnBackground({
    command: target.command,
    args: [...target.args, "daemon", "start", "--foreground", ...flags],
    // Relative paths in flags and variables mean the same there as here.
    cwd: process.cwd(),
    env: { ...env },
    outputFd: crash.fd,
  }).finally(crash.close);
  const warnings: string[] = [];
  await writePid(stateDir, pid).catch((error: unknown) => warnings.push(`cannot write the pid file: ${errorText(error)}`));
  return { pid, exited, crashOffset: crash.offset, warnings };
}
