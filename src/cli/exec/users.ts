import { endRecorded, recordedProcesses, recordedUsers } from "../../lib/exec/index.ts";
import type { Clock } from "../../lib/platform/index.ts";

const GRACE_MS = 5000;

/** Whether a living command works in an environment; asked of the hosts' files, so that it holds without a daemon too. */
export function usedByProcesses(stateDir: string): (root: string) => boolean {
  return (root) => recordedUsers(recordedProcesses(stateDir), root).length > 0;
}

/** Ends the commands that work in an environment. What does not end keeps it. */
export async function endUsers(stateDir: string, root: string, clock: Clock): Promise<void> {
  await endRecorded(recordedUsers(recordedProcesses(stateDir), root), { clock, graceMs: GRACE_MS });
}
