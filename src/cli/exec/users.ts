import { recordedProcesses, recordedUsers } from "../../lib/exec/index.ts";

/** Says of a directory whether a living command under an exec host uses it; from the hosts' directories, daemon or not. */
export function usedByProcesses(stateDir: string): (root: string) => boolean {
  return (root) => recordedUsers(recordedProcesses(stateDir), root).length > 0;
}
