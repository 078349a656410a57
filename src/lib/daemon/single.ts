import { join } from "node:path";
import { EXIT, MulticaError } from "../core/index.ts";
import { profileCommand } from "../config/index.ts";
import { type FileLock, type ProcessIdentity, ensureDir, lockHolder, tryFileLock } from "../platform/index.ts";
import { readDaemonInfo, readPid } from "./files.ts";

/**
 * Holds a state directory for one daemon: with `--port` two of them would not meet on the port. The kernel frees the lock with
 * the process, so a crash leaves nothing to clean. Throws `already_running` (exit 7).
 */
export async function holdStateDir(stateDir: string, profile: string): Promise<FileLock> {
  await ensureDir(stateDir);
  const lock = tryFileLock(lockPath(stateDir));
  if (lock !== null) return lock;
  const pid = readDaemonInfo(stateDir)?.pid ?? readPid(stateDir);
  throw new MulticaError("already_running", `the daemon is already running${pid === undefined ? "" : ` (pid ${pid})`}`, {
    exit: EXIT.conflict,
    suggestions: [`Use ${profileCommand(profile, "daemon restart")} to start it anew.`],
  });
}

/** The living process that holds a state directory, whether or not it answers; null: none. */
export function stateDirHolder(stateDir: string): ProcessIdentity | null {
  return lockHolder(lockPath(stateDir));
}

function lockPath(stateDir: string): string {
  return join(stateDir, "daemon.lock");
}
