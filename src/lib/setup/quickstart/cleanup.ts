import { join } from "node:path";
import { asNumber, errorText } from "../../core/index.ts";
import { type Clock, type ProcessIdentity, identityAlive, processIdentity, readTextIfExists, removeTree, terminateTree } from "../../platform/index.ts";
import type { Cli } from "../cli.ts";
import type { Scratch } from "./scratch.ts";

export interface CleanupOptions {
  readonly scratch: Scratch;
  readonly cli: Cli;
  readonly clock: Clock;
  readonly keep: boolean;
}

/**
 * Stops what quickstart started and removes the scratch home. What does not stop when asked is ended by its identity;
 * returns the complaints, so that a failed clean-up is said and not swallowed.
 */
export async function cleanUp(options: CleanupOptions): Promise<string[]> {
  const problems: string[] = [];
  const daemon = await runningProcess(join(options.scratch.stateDir, "daemon.json"));
  const server = await runningProcess(join(options.scratch.stateDir, "server", "server.json"));
  for (const [face, identity] of [["daemon", daemon], ["server", server]] as const) {
    if (identity === null) continue;
    try {
      await options.cli.run([face, "stop"]);
    } catch (error) {
      problems.push(`${face} stop: ${errorText(error)}`);
    }
    if (!(await endsSoon(options.clock, identity))) {
      const result = await terminateTree({ pid: identity.pid, graceMs: 3000, clock: options.clock });
      if (!result.gone) problems.push(`the ${face} (pid ${identity.pid}) is still running`);
    }
  }
  if (!options.keep && problems.length === 0) await removeTree(options.scratch.dir);
  return problems;
}

async function runningProcess(file: string): Promise<ProcessIdentity | null> {
  const text = await readTextIfExists(file);
  if (text === undefined) return null;
  try {
    const pid = asNumber((JSON.parse(text) as { pid?: unknown }).pid);
    return pid === undefined ? null : processIdentity(pid);
  } catch {
    return null;
  }
}

async function endsSoon(clock: Clock, identity: ProcessIdentity): Promise<boolean> {
  const limit = clock.monotonic() + 5000;
  while (identityAlive(identity)) {
    if (clock.monotonic() > limit) return false;
    await clock.sleep(25);
  }
  return true;
}
