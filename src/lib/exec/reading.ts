import { MulticaError, isMulticaError, randomHex } from "../core/index.ts";
import type { Clock } from "../platform/index.ts";
import type { Entry } from "./entry.ts";
import { type LogCursor, LogReader } from "./log/reader.ts";
import { HeadTailBuffer } from "./model/head-tail.ts";
import { DEFAULT_TOKENS, approximateTokens, decodeText, skipContinuation, truncateText, wholeCharacters } from "./model/text.ts";
import { READ_MAX, RECORD_BYTES, fromWire } from "./protocol.ts";
import type { ExecAnswer, ExecReadOptions, LogEvent } from "./types.ts";

/** What a caller sees of unread output at once: its first and last 512 KiB. */
const VIEW_BYTES = 1 << 20;
const END_WAIT_MS = 8000;

interface Some {
  readonly events: readonly LogEvent[];
  readonly cursor: LogCursor;
  /** The log is closed and everything in it was read. */
  readonly closed: boolean;
  /** Last record there is. */
  readonly lastSeq: number;
}

/** The next events of a process: from its host while that lives, else from the files. Empty after `waitMs` without any. */
async function readSome(entry: Entry, cursor: LogCursor, maxBytes: number, waitMs: number, clock: Clock): Promise<Some> {
  const { client } = entry;
  if (client !== null && !entry.final) {
    try {
      const reply = await client.read({ after_seq: cursor.seq, after_bytes: cursor.bytes, max_bytes: Math.min(maxBytes, READ_MAX - RECORD_BYTES), wait_ms: Math.floor(waitMs) });
      return { events: reply.events.map(fromWire), cursor: { seq: reply.next_seq, bytes: reply.next_bytes }, closed: reply.closed, lastSeq: reply.last_seq };
    } catch (error) {
      if (!isMulticaError(error)) throw error;
      // It may have ended in between: then its end is on its way, and the files have everything.
      await Promise.race([entry.finished, clock.sleep(Math.min(waitMs, END_WAIT_MS))]);
    }
  }
  const reader = new LogReader(entry.row.dir, cursor);
  try {
    const events = reader.next(maxBytes);
    if (events.length === 0 && !entry.final) await Promise.race([entry.finished, clock.sleep(Math.min(waitMs, 100))]);
    return { events, cursor: reader.cursor, closed: entry.final && events.length === 0, lastSeq: Number.MAX_SAFE_INTEGER };
  } finally {
    reader.close();
  }
}

interface Collected {
  readonly buffer: HeadTailBuffer;
  readonly cursor: LogCursor;
  readonly missing: number;
  readonly closed: boolean;
}

/** Gathers output until the deadline, the end of the process, or enough (exec-sessions.md 6). */
async function collect(entry: Entry, from: LogCursor, carry: Buffer, options: ExecReadOptions, clock: Clock): Promise<Collected> {
  const raw = options.rawBytes;
  const buffer = new HeadTailBuffer(raw === undefined ? VIEW_BYTES : 2 * (raw + RECORD_BYTES));
  if (carry.length > 0) buffer.push(carry);
  const deadline = clock.monotonic() + options.yieldMs;
  let cursor = from;
  let missing = 0;
  let target: number | null = null;
  for (;;) {
    const room = raw === undefined ? VIEW_BYTES : raw - buffer.size;
    const waitMs = options.signal?.aborted === true ? 0 : Math.max(0, deadline - clock.monotonic());
    const some = await abortable(readSome(entry, cursor, Math.max(1, room), waitMs, clock), options.signal);
    if (some === null) return { buffer, cursor, missing, closed: false };
    cursor = some.cursor;
    for (const event of some.events) {
      missing += event.gap?.bytes ?? 0;
      if (event.data !== undefined && event.kind !== "stdin") buffer.push(event.data);
    }
    const full = raw !== undefined && buffer.size >= raw;
    // At the deadline what is there already is taken along, and nothing that comes later.
    if (target === null && clock.monotonic() >= deadline) target = some.lastSeq;
    const over = target !== null && (some.events.length === 0 || cursor.seq >= target);
    if (some.closed || over || full) return { buffer, cursor, missing, closed: some.closed };
  }
}

/** Null when the signal came first: the caller has gone, the process goes on. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
  if (signal === undefined) return work;
  if (signal.aborted) return null;
  const gone = Promise.withResolvers<null>();
  const onAbort = (): void => gone.resolve(null);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, gone.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => undefined);
  }
}

/**
 * One answer of a process: output since the cursor (or `afterSeq`) until the deadline, its state, and the step that moves
 * the cursor once the answer has been handed over (exec-sessions.md 18.3).
 */
export async function answer(entry: Entry, options: ExecReadOptions, clock: Clock, save: (seq: number) => void): Promise<ExecAnswer> {
  const startedAt = clock.monotonic();
  const own = options.afterSeq === undefined;
  const from: LogCursor = own ? entry.cursor : { seq: options.afterSeq ?? 0, bytes: options.afterSeq === 0 ? 0 : null };
  const carry = own && options.rawBytes === undefined ? entry.carry : Buffer.alloc(0);
  const got = await collect(entry, from, carry, options, clock);
  const { head, tail, dropped } = got.buffer.snapshot();
  const text = options.rawBytes === undefined ? toText(head, tail, dropped, got.closed) : { text: Buffer.concat([head, tail]).toString("base64"), rest: Buffer.alloc(0) };
  const cut = options.rawBytes === undefined ? truncateText(text.text, options.maxOutputTokens ?? DEFAULT_TOKENS) : { text: text.text, truncated: false };
  const { row } = entry;
  return {
    output: {
      thread_id: row.thread_id,
      process_id: got.closed ? null : row.process_id,
      chunk_id: randomHex(3),
      wall_ms: Math.round(clock.monotonic() - startedAt),
      output: cut.text,
      output_bytes: got.buffer.size + dropped - text.rest.length,
      original_token_count: approximateTokens(text.text),
      truncated: cut.truncated,
      gap_bytes: got.missing + dropped,
      from_seq: from.seq,
      next_seq: got.cursor.seq,
      running: !got.closed,
      exit_code: got.closed ? row.exit_code : null,
      signal: got.closed ? row.signal : null,
      closed: got.closed,
    },
    commit() {
      if (!own || got.cursor.seq < entry.row.poll_seq) return;
      entry.carry = text.rest;
      entry.pollBytes = got.cursor.bytes;
      if (got.closed) entry.delivered = true;
      if (got.cursor.seq !== entry.row.poll_seq) save(got.cursor.seq);
    },
  };
}

/** The last character waits for its other bytes; at the end it is broken. A view with a hole says how much is missing. */
function toText(head: Buffer, tail: Buffer, dropped: number, closed: boolean): { readonly text: string; readonly rest: Buffer } {
  const whole = dropped === 0 ? Buffer.concat([head, tail]) : tail;
  const end = closed ? whole.length : wholeCharacters(whole);
  const rest = Buffer.from(whole.subarray(end));
  const last = whole.subarray(0, end);
  if (dropped === 0) return { text: decodeText(last), rest };
  const first = head.subarray(0, wholeCharacters(head));
  return { text: `${decodeText(first)}\n[… ${dropped} bytes omitted …]\n${decodeText(skipContinuation(last))}`, rest };
}

/** What a process wrote in all, as its end event tells it: beginning and end, at most 1 MiB. */
export function readWholeOutput(dir: string): string {
  const reader = new LogReader(dir);
  try {
    const buffer = new HeadTailBuffer(VIEW_BYTES);
    let missing = 0;
    for (let events = reader.next(VIEW_BYTES); events.length > 0; events = reader.next(VIEW_BYTES)) {
      for (const event of events) {
        missing += event.gap?.bytes ?? 0;
        if (event.data !== undefined && event.kind !== "stdin") buffer.push(event.data);
      }
    }
    const { head, tail, dropped } = buffer.snapshot();
    return toText(head, tail, dropped + missing, true).text;
  } finally {
    reader.close();
  }
}

/** A finished process whose end was told already is no process any more. */
export function readable(entry: Entry | undefined, afterSeq: number | undefined): Entry {
  if (entry !== undefined && (!entry.delivered || afterSeq !== undefined)) return entry;
  throw new MulticaError("process_not_found", entry === undefined ? "no such process" : "the process has finished and its end was reported", {
    exit: 4,
    suggestions: ["List the processes with `multica exec list --all`; the log of a finished one is read with `multica exec logs`."],
  });
}
