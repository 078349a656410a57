import { errorText, isMulticaError } from "../core/index.ts";
import { type ProcessIdentity, terminateTree } from "../platform/index.ts";
import type { ExecCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import { follow } from "./follow.ts";
import { forget } from "./threads.ts";
import type { AgentHost, WriteStatus } from "./types.ts";

const FORGET_MS = 10_000;

/** An agent's process as its task's transport sees it. */
export function agentHost(core: ExecCore, entry: Entry): AgentHost {
  const { row } = entry;
  const tell = (op: string, params: Readonly<Record<string, unknown>>): void => {
    entry.client?.request(op, params).catch((error: unknown) => {
      if (!entry.final) core.parts.logger.warn("the agent's host was not told", { xid: row.xid, op, error: errorText(error) });
    });
  };
  return {
    xid: row.xid,
    threadId: row.thread_id,
    taskId: row.task_id ?? "",
    pid: row.child_pid ?? 0,
    dir: row.dir,
    startedAtMs: row.started_at_ms ?? row.created_at_ms,
    lastSeq: entry.client?.status.last_seq ?? row.last_seq,
    get over() {
      return entry.final;
    },
    ended: entry.finished.then(() => ({ code: entry.row.exit_code, signal: entry.row.signal })),
    write: async (writeId, data) => {
      const reply = await entry.host().request("write", { write_id: writeId, data: data.toString("base64") });
      return reply["status"] as WriteStatus;
    },
    closeInput: async () => void (await entry.host().request("close_stdin")),
    note: (text) => tell("note", { text }),
    follow: (afterSeq, signal) => follow(core, entry, { afterSeq, signal }),
    acknowledge: (seq) => tell("acknowledge", { seq }),
    terminate: async (graceMs) => void (await core.terminate(entry, "terminated", { graceMs })),
    sealed: () => sealed(entry).catch(ifGone),
    passLock: (to) => passLock(entry, to).catch(ifGone),
    dismiss: () => dismiss(core, entry),
  };
}

function ifGone(error: unknown): null {
  if (isMulticaError(error)) return null;
  throw error;
}

async function sealed(entry: Entry): Promise<string | null> {
  const pieces: string[] = [];
  for (let at = 0; ; ) {
    const reply = await entry.host().request("sealed", { at });
    const text = typeof reply["text"] === "string" ? reply["text"] : "";
    pieces.push(text);
    at += text.length;
    if (text === "" || at >= Number(reply["length"])) return at === 0 ? null : pieces.join("");
  }
}

async function passLock(entry: Entry, to: ProcessIdentity): Promise<string | null> {
  const reply = await entry.host().request("unlock", { pid: to.pid, start_key: to.startKey, boot_id: to.bootId });
  const token = reply["token"];
  return typeof token === "string" && token !== "" ? token : null;
}

/** The host first: a record without host is cleared by the next start, a host without record by nobody. */
async function dismiss(core: ExecCore, entry: Entry): Promise<void> {
  const { logger, clock } = core.parts;
  try {
    if (!entry.final) return logger.warn("an agent that has not ended keeps its host", { xid: entry.row.xid });
    if (entry.client === null && core.hostAlive(entry)) await core.connect(entry).catch(ifGone);
    const { client } = entry;
    if (client !== null) {
      await client.request("bye", { acked_seq: Number.MAX_SAFE_INTEGER }).catch(ifGone);
      await Promise.race([client.closed, clock.sleep(FORGET_MS)]);
    }
    const { host_pid: pid, host_start_key: startKey } = entry.row;
    if (pid !== null && startKey !== null && core.hostAlive(entry)) await terminateTree({ pid, startKey, graceMs: core.bounds.graceMs, clock });
    await forget(core, entry);
  } catch (error) {
    logger.warn("an agent's log is not removed", { xid: entry.row.xid, error: errorText(error) });
  }
}
