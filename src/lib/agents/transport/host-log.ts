import { createHash } from "node:crypto";
import { MulticaError } from "../../core/index.ts";
import { type AgentHost, type LogEvent, LogReader } from "../../exec/index.ts";

const READ_BYTES = 1 << 20;

/** What an earlier owner left in an agent's log. */
export interface Recording {
  readonly lastSeq: number;
  readonly notes: readonly string[];
  /** Everything the agent was told. */
  readonly input: RecordedInput;
}

export interface RecordedInput {
  readonly bytes: number;
  /** SHA-256 over all of it. */
  readonly digest: string;
}

/** Looks through the log once. Throws `log_incomplete` when something is missing in it. */
export function readRecording(host: AgentHost): Recording {
  const hash = createHash("sha256");
  const notes: string[] = [];
  let bytes = 0;
  for (const event of eventsUpTo(host, host.lastSeq)) {
    if (event.kind === "gap") throw new MulticaError("log_incomplete", "the agent's log is not complete any more");
    if (event.kind === "note") notes.push(event.text ?? "");
    if (event.kind !== "stdin" || event.data === undefined) continue;
    hash.update(event.data);
    bytes += event.data.length;
  }
  return { lastSeq: host.lastSeq, notes, input: { bytes, digest: hash.digest("hex") } };
}

export function recordedEvents(host: AgentHost, recording: Recording): Generator<LogEvent> {
  return eventsUpTo(host, recording.lastSeq);
}

function* eventsUpTo(host: AgentHost, lastSeq: number): Generator<LogEvent> {
  const reader = new LogReader(host.dir);
  try {
    for (let seen = 0; seen < lastSeq; ) {
      const events = reader.next(READ_BYTES);
      if (events.length === 0) throw new MulticaError("log_incomplete", "the agent's log ends before its last record");
      for (const event of events) {
        seen = event.seq;
        if (seen > lastSeq) return;
        yield event;
      }
    }
  } finally {
    reader.close();
  }
}

/** Records behind `afterSeq` as they come, until the log is closed. What was taken opens the way for more. */
export async function* liveLog(host: AgentHost, afterSeq: number, signal: AbortSignal): AsyncGenerator<LogEvent> {
  if (signal.aborted) return;
  const stream = await host.follow(afterSeq, signal);
  for await (const event of stream) {
    yield event;
    stream.ack(event.seq);
  }
}
