import type { Clock } from "../../platform/index.ts";
import type { TaskMessage } from "../../wire/index.ts";
import type { LogMark, ReportSink } from "./sink.ts";
import type { Transcript } from "./transcript.ts";

const FLUSH_MS = 500;
const BATCH_ENTRIES = 100;
const BATCH_BYTES = 256 * 1024;

export interface Batcher {
  /** Sends everything, unfinished lines included, and resolves when the sink has dealt with all of it. */
  finish(): Promise<void>;
  /** Sends what is whole and keeps the rest for whoever goes on with the agent. */
  pause(): Promise<void>;
}

/**
 * Sends the transcript's new entries every 500 ms, one request at a time and in order (daemon.md 11.11).
 * The sink never rejects: a batch it cannot deliver is its own affair, the run goes on.
 */
export function startBatcher(options: {
  readonly clock: Clock;
  readonly taskId: string;
  readonly transcript: Transcript;
  readonly sink: ReportSink;
  /** The place in the agent's log that the entries just taken reach to; null without a log. */
  readonly mark?: () => LogMark | null;
  /** Everything up to this mark is where it belongs. */
  readonly onSafe?: (mark: LogMark | null) => void;
}): Batcher {
  const { clock, taskId, transcript, sink } = options;
  let tail: Promise<void> = Promise.resolve();
  let busy = false;
  const send = (entries: TaskMessage[]): void => {
    // Now: while the request is under way more is read.
    const mark = options.mark?.() ?? null;
    if (entries.length === 0) return options.onSafe?.(mark);
    busy = true;
    const mine: Promise<void> = tail.then(async () => {
      await sink.messages(taskId, batches(entries), mark);
      options.onSafe?.(mark);
      if (tail === mine) busy = false;
    });
    tail = mine;
  };
  // While a request is under way new entries stay in the transcript: they become one batch instead of a queue of small ones.
  const stop = clock.every(FLUSH_MS, () => {
    if (!busy) send(transcript.take());
  });
  return {
    async finish() {
      stop();
      send(transcript.takeAll());
      await tail;
    },
    async pause() {
      stop();
      send(transcript.take());
      await tail;
    },
  };
}

/** Entries in order, at most 100 and about 256 KiB a batch; a larger entry goes alone. */
export function batches(entries: readonly TaskMessage[]): TaskMessage[][] {
  const result: TaskMessage[][] = [];
  let current: TaskMessage[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry));
    if (current.length > 0 && (current.length >= BATCH_ENTRIES || bytes + size > BATCH_BYTES)) {
      result.push(current);
      current = [];
      bytes = 0;
    }
    current.push(entry);
    bytes += size;
  }
  if (current.length > 0) result.push(current);
  return result;
}
