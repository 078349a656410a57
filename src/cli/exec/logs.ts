import type { RunContext } from "../../lib/config/index.ts";
import { isMulticaError } from "../../lib/core/index.ts";
import { systemClock } from "../../lib/platform/index.ts";
import type { ExecFrame } from "../../lib/wire/index.ts";
import { openExec } from "./port.ts";
import { followProcess } from "./stream.ts";
import { chooseProcess, findProcess, parseProcess } from "./target.ts";

export interface LogsInput {
  readonly context: RunContext;
  readonly profile: string | undefined;
  readonly process: string;
  readonly afterSeq: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** The log of a process: through the daemon, or from its directory and its host when no daemon runs (exec-sessions.md 19). */
export async function processLog(input: LogsInput): Promise<AsyncIterable<ExecFrame>> {
  try {
    const place = await openExec(input.context, input.profile);
    const name = await findProcess(place, input.process);
    return followProcess({ port: place.port, name, afterSeq: input.afterSeq, live: input.follow, signal: input.signal });
  } catch (error) {
    // A task has no business in directories: its daemon lives as long as itself.
    if (!isMulticaError(error, "daemon_unreachable") || input.context.kind === "task") throw error;
    return offline(input);
  }
}

async function offline({ context, process, afterSeq, follow, signal }: LogsInput): Promise<AsyncIterable<ExecFrame>> {
  const { followRecorded, recordedLog, recordedProcesses } = await import("../../lib/exec/index.ts");
  const found = chooseProcess(recordedProcesses(context.stateDir), parseProcess(process), process);
  if (follow) return followRecorded(found, afterSeq, { clock: systemClock, signal });
  return (async function* () {
    yield* recordedLog(found.dir, afterSeq);
    await Promise.resolve();
  })();
}
