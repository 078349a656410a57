import { createLocalPortClient } from "../api/index.ts";
import { listProfiles, resolveStateDir } from "../config/index.ts";
import { readDaemonInfo } from "./files.ts";

export interface Self {
  /** Where the state directories of all profiles lie. */
  readonly stateRoot: string;
  readonly stateDir: string;
  readonly daemonId: string;
}

/** A daemon answers from memory. */
const ASK_MS = 1000;

/**
 * The ids of runtimes that daemons of other profiles serve at this moment. All profiles of a machine share its identity, so
 * two that are signed in to one account serve the same runtimes: what one of them says of a runtime concerns the other's
 * running tasks. A daemon that does not answer serves none.
 */
export async function siblingRuntimes({ stateRoot, stateDir, daemonId }: Self): Promise<ReadonlySet<string>> {
  const env = { MULTICA_HOME: stateRoot };
  const dirs = ["", ...listProfiles(stateRoot)].map((profile) => resolveStateDir({ env, profile, home: stateRoot })).filter((dir) => dir !== stateDir);
  const served = await Promise.all(dirs.map((dir) => runtimesOf(dir, daemonId)));
  return new Set(served.flat());
}

async function runtimesOf(stateDir: string, daemonId: string): Promise<readonly string[]> {
  const port = readDaemonInfo(stateDir)?.port;
  const health = port === undefined ? null : await createLocalPortClient({ port }).health(ASK_MS);
  if (health === null || health.state_root !== stateDir || health.daemon_id !== daemonId) return [];
  return (health.workspaces ?? []).flatMap((workspace) => workspace.runtimes);
}
