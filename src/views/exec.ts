import { StringDecoder } from "node:string_decoder";
import type { DetachSummary, ExecOutput, ExecRecord, GcReport } from "../lib/wire/index.ts";
import type { ExecFrame } from "../lib/wire/index.ts";
import { processStreams } from "./output.ts";
import { cutText, tableText } from "./table.ts";

/** `exec list`. */
export function processTable(records: readonly ExecRecord[], nowMs: number): string {
  return tableText(
    ["THREAD", "PROCESS", "STATE", "COMMAND", "AGE", "EXIT", "LABEL"],
    records.map((record) => [record.thread_id, record.process_id, record.state, cutText(record.command, 40), ageText(record.started_at, nowMs), endText(record), record.label ?? ""]),
  );
}

function ageText(start: string | null, nowMs: number): string {
  if (start === null) return "";
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(start)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function endText({ exit_code: code, signal, reason, state }: ExecRecord): string {
  if (state !== "exited" && state !== "lost" && state !== "failed") return "";
  const how = signal ?? (code === null ? "" : String(code));
  return reason === null || reason === "exited" ? how : [how, reason].filter((part) => part !== "").join(" ");
}

/** The line on stderr behind the output of start, read and write. */
export function statusLine(output: Pick<ExecOutput, "running" | "exit_code" | "signal">, processId: string, durationMs?: number): string {
  if (output.running) return `process ${processId} running`;
  const after = durationMs === undefined ? "" : ` after ${(durationMs / 1000).toFixed(1)} s`;
  if (output.signal !== null) return `process ${processId} ended by ${output.signal}${after}`;
  return `process ${processId} exited with code ${output.exit_code ?? "?"}${after}`;
}

/** What is missing in an output, for stderr; empty when nothing is. */
export function gapNote(output: Pick<ExecOutput, "gap_bytes">): string {
  return output.gap_bytes > 0 ? `[… ${output.gap_bytes} bytes not retained …]` : "";
}

export function detachLine(summary: DetachSummary): string {
  if (summary.process_count === 0) return "No process was attached.";
  return `Detached ${countText(summary.process_count)}: ${summary.process_ids.join(", ")}.`;
}

export function cleanLine(summary: DetachSummary): string {
  return summary.process_count === 0 ? "Nothing to clean." : `Ended and forgot ${countText(summary.process_count)}: ${summary.process_ids.join(", ")}.`;
}

export function reattachLine(count: number): string {
  return count === 0 ? "Nothing was stored." : `Attached ${countText(count)} again.`;
}

function countText(count: number): string {
  return count === 1 ? "1 process" : `${count} processes`;
}

/** `exec gc`. */
export function gcText(report: GcReport, dryRun: boolean): string {
  const lines = (Object.entries(report) as [string, readonly string[]][]).filter(([, ids]) => ids.length > 0).map(([what, ids]) => `${what}: ${ids.join(", ")}\n`);
  if (lines.length === 0) return "Nothing to collect.\n";
  return `${dryRun ? "Would be:\n" : ""}${lines.join("")}`;
}

export interface LogOptions {
  /** Exactly the bytes, nothing else. */
  readonly raw: boolean;
  readonly timestamps: boolean;
  readonly stream: "stdout" | "stderr" | undefined;
  /** One JSON document a line instead of text. */
  readonly json: boolean;
  /** Only so many lines at the end; undefined = all. */
  readonly tail: number | undefined;
}

/** Prints the records of a process as they come; gaps are told on stderr. */
export async function printProcessLog(frames: AsyncIterable<ExecFrame>, options: LogOptions): Promise<void> {
  const printer = new LogPrinter(options);
  for await (const frame of frames) printer.add(frame);
  printer.end();
}

class LogPrinter {
  readonly #options: LogOptions;
  readonly #decoders = new Map<string, StringDecoder>();
  #held: string[] = [];
  #open = "";
  #stamp = "";

  constructor(options: LogOptions) {
    this.#options = options;
  }

  add(frame: ExecFrame): void {
    const { json, raw, stream } = this.#options;
    if (frame.kind === "gap" && frame.gap !== undefined) processStreams.err(`[… ${frame.gap.bytes} bytes not retained …]\n`);
    if (json) return this.#json(frame);
    if (frame.data === undefined || frame.kind === "stdin") return;
    if (stream !== undefined && frame.kind !== stream && !(frame.kind === "pty" && stream === "stdout")) return;
    if (raw && this.#options.tail === undefined) return void process.stdout.write(frame.data);
    this.#text(this.#decode(frame), new Date(frame.timeMs).toISOString());
  }

  end(): void {
    const rest = [...this.#decoders.values()].map((decoder) => decoder.end()).join("");
    this.#text(rest, this.#stamp);
    if (this.#open !== "") this.#line(this.#open, "");
    for (const line of this.#held) processStreams.out(line);
  }

  #json(frame: ExecFrame): void {
    const { data, timeMs, ...rest } = frame;
    const text = data === undefined ? {} : { text: this.#decode(frame) };
    processStreams.out(`${JSON.stringify({ ...rest, time: new Date(timeMs).toISOString(), ...text })}\n`);
  }

  /** A character may lie across two records: each stream has a decoder of its own. */
  #decode(frame: ExecFrame): string {
    const decoder = this.#decoders.get(frame.kind) ?? new StringDecoder("utf8");
    this.#decoders.set(frame.kind, decoder);
    return decoder.write(frame.data ?? Buffer.alloc(0));
  }

  #text(text: string, stamp: string): void {
    if (text === "") return;
    const { timestamps, tail } = this.#options;
    // Nothing has to wait for the end of its line when nothing is put before it.
    if (!timestamps && tail === undefined) return processStreams.out(text);
    if (this.#open === "") this.#stamp = stamp;
    const lines = (this.#open + text).split("\n");
    this.#open = lines.pop() ?? "";
    for (const line of lines) {
      this.#line(line, "\n");
      this.#stamp = stamp;
    }
  }

  #line(line: string, end: string): void {
    const { timestamps, tail } = this.#options;
    const whole = `${timestamps ? `${this.#stamp} ` : ""}${line}${end}`;
    if (tail === undefined) return processStreams.out(whole);
    this.#held.push(whole);
    if (this.#held.length > tail) this.#held.shift();
  }
}

/** Output of a command as it comes, each stream where it belongs. */
export function show(data: Buffer, stream: "out" | "err"): void {
  (stream === "out" ? process.stdout : process.stderr).write(data);
}

/** Bytes that came as base64, unchanged. */
export function showBytes(base64: string): void {
  process.stdout.write(Buffer.from(base64, "base64"));
}

/** `exec kill`: a line for each. */
export function killLines(results: readonly { readonly process_id: string; readonly running: boolean }[], signal: string | undefined): string {
  const done = signal === undefined ? "ended" : `got ${signal}`;
  return results.map(({ process_id: id, running }) => `Process ${id} ${running ? done : "had ended already"}.\n`).join("");
}
