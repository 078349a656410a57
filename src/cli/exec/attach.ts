import type { ExecPortClient } from "../../lib/api/exec-port.ts";
import { EXIT, MulticaError } from "../../lib/core/index.ts";
import { isTerminal, takeTerminal } from "../../lib/platform/index.ts";
import { isFinalExecState } from "../../lib/wire/exec-process.ts";
import type { ExecRecord } from "../../lib/wire/index.ts";
import { usage } from "../resolve.ts";

/** Ctrl-]: leaves the process alone. */
const LEAVE = 0x1d;
/** How much of what was there before is shown again: enough for a prompt, not for a history. */
const REPLAYED_RECORDS = 40;

/** A pipe has no size and cannot be put into raw mode. */
export function requireTerminal(): void {
  if (!isTerminal("stdin") || !isTerminal("stdout")) throw usage("exec attach needs a terminal", "Use exec read and exec write from a script.");
}

/**
 * Joins this terminal with the process's: keys go there raw, its output comes here, its size follows the window.
 * Resolves when the process has ended, or when the person left with Ctrl-]. The terminal is always put back.
 */
export async function attachTerminal(port: ExecPortClient, record: ExecRecord, options: { readonly readOnly: boolean }): Promise<"ended" | "left"> {
  if (!record.tty) throw refused("not_a_tty", `process ${record.process_id} has no terminal; start it with --tty, or use exec read and exec write`);
  if (isFinalExecState(record.state)) throw refused("exited", `process ${record.process_id} has ended`);
  const { openExecStream } = await import("../../lib/api/exec-stream.ts");
  const { last_seq: last } = await port.record(record);
  const stream = await openExecStream({ port: port.port, token: port.token, name: record, afterSeq: Math.max(0, last - REPLAYED_RECORDS), live: true });
  let left = false;
  const terminal = takeTerminal({
    onKeys: (keys) => {
      const at = keys.indexOf(LEAVE);
      const typed = at === -1 ? keys : keys.subarray(0, at);
      if (typed.length > 0 && !options.readOnly) stream.input(typed);
      if (at === -1) return;
      left = true;
      stream.close();
    },
    onResize: (cols, rows) => {
      if (!options.readOnly) stream.resize(cols, rows);
    },
  });
  try {
    for await (const frame of stream.frames) {
      if (frame.kind === "error") continue;
      if (frame.kind === "pty" && frame.data !== undefined) await terminal.write(frame.data);
      stream.ack(frame.seq);
    }
  } finally {
    terminal.giveBack();
    stream.close();
  }
  return left ? "left" : "ended";
}

function refused(code: string, message: string): MulticaError {
  return new MulticaError(code, message, { exit: EXIT.validation });
}
