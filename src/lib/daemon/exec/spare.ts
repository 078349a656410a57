import { EXEC_MARKER, type ExecService } from "../../exec/index.ts";

/** What a sweep leaves alone: values of a variable, for `terminateTree` (decision 17). */
export interface Spare {
  readonly name: string;
  readonly values: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Processes that outlive their task: those that were registered with `keep`. */
export function keptProcesses(exec: ExecService | null): Spare {
  return { name: EXEC_MARKER, values: exec?.spared("keep") ?? NOTHING };
}

/** All processes under exec hosts: while their thread lasts, only the thread ends them. */
export function registeredProcesses(exec: ExecService | null): Spare {
  return { name: EXEC_MARKER, values: exec?.spared("registered") ?? NOTHING };
}
