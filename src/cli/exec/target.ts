import { EXIT, MulticaError } from "../../lib/core/index.ts";
import type { ExecRecord } from "../../lib/wire/index.ts";
import { isFinalExecState } from "../../lib/wire/exec-process.ts";
import { missing, usage } from "../resolve.ts";
import type { ExecPlace } from "./port.ts";

/** A process as it is written on a command line: `1234`, or `<thread>/1234`. */
export interface ProcessRef {
  readonly threadId: string | undefined;
  readonly processId: string;
}

export function parseProcess(text: string): ProcessRef {
  const match = /^(?:(.+)\/)?(\d{1,9})$/.exec(text.trim());
  if (match?.[2] === undefined) throw usage(`${JSON.stringify(text)} is not a process`, "Write 1234 or <thread>/1234, as multica exec list shows it.");
  return { threadId: match[1], processId: match[2] };
}

/** The one process that is meant; living ones count before finished ones. None: exit 4; several: exit 2 with all of them. */
export async function findProcess(place: ExecPlace, text: string): Promise<ExecRecord> {
  const { threadId, processId } = parseProcess(text);
  const records = await place.port.list({ thread_id: place.inTask ? undefined : threadId, all: "true" });
  return chooseProcess(records, { threadId, processId }, text);
}

/** Picks among candidates, for the daemon's list and for the directories alike. */
export function chooseProcess<T extends { readonly thread_id: string; readonly process_id: string; readonly state: ExecRecord["state"]; readonly generation: number }>(
  records: readonly T[],
  { threadId, processId }: ProcessRef,
  text: string,
): T {
  const found = records.filter((record) => record.process_id === processId && (threadId === undefined || record.thread_id === threadId || !threadId.includes(":")));
  const live = found.filter((record) => !isFinalExecState(record.state));
  const wanted = live.length > 0 ? live : found;
  const threads = [...new Set(wanted.map((record) => record.thread_id))].sort();
  if (threads.length > 1) {
    throw new MulticaError("ambiguous", `several threads have a process ${processId}: ${threads.map((thread) => `${thread}/${processId}`).join(", ")}`, { exit: EXIT.usage });
  }
  const latest = wanted.reduce<T | undefined>((best, record) => (best === undefined || record.generation > best.generation ? record : best), undefined);
  if (latest === undefined) throw missing(`no process ${text}`, "multica exec list --all shows them.");
  return latest;
}

/** How flags and the argument of a command name a thread; nothing = the caller's own. */
export function threadRef(values: { thread?: string | undefined; task?: string | undefined; issue?: string | undefined }): { thread_id?: string; task_id?: string; issue_id?: string } {
  const given = [values.thread, values.task, values.issue].filter((value) => value !== undefined);
  if (given.length > 1) throw usage("thread, --task and --issue exclude each other");
  return {
    ...(values.thread === undefined ? {} : { thread_id: values.thread }),
    ...(values.task === undefined ? {} : { task_id: values.task }),
    ...(values.issue === undefined ? {} : { issue_id: values.issue }),
  };
}
