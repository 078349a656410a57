import { closeSync, openSync, readSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isObject, parseJson, systemCode } from "../../core/index.ts";
import type { LogEvent } from "../types.ts";
import { PAYLOAD_MAX, RECORD_HEADER_BYTES, type RawRecord, SEGMENT_HEADER_BYTES, decodeRecord, decodeSegmentHeader, isOutput, segmentName, segmentSeq } from "./format.ts";

/** Where a reader stands: everything up to `seq` was seen; `bytes` of output before that, null when unknown. */
export interface LogCursor {
  readonly seq: number;
  readonly bytes: number | null;
}

const CHUNK_BYTES = 256 * 1024;

/** First sequence numbers of the segments in a directory, ascending; empty when it is gone. */
function listSegments(dir: string): number[] {
  try {
    return readdirSync(dir)
      .flatMap((name) => segmentSeq(name) ?? [])
      .sort((a, b) => a - b);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

/**
 * Reads the records of one process in order, while they are written or long after. What the log did not keep is told as
 * one `gap` with its numbers; nothing is skipped silently. A torn last record ends it (exec-sessions.md 16.3).
 */
export class LogReader {
  readonly #dir: string;
  #seen: number;
  #bytes: number | null;
  #fd: number | null = null;
  #first = 0;
  #at = 0;
  #buffer: Buffer = Buffer.alloc(0);
  #bufferAt = 0;
  #scratch: Buffer | null = null;
  #base = 0;

  constructor(dir: string, after: LogCursor = { seq: 0, bytes: 0 }) {
    this.#dir = dir;
    this.#seen = after.seq;
    this.#bytes = after.seq === 0 ? 0 : after.bytes;
  }

  get cursor(): LogCursor {
    return { seq: this.#seen, bytes: this.#bytes };
  }

  /** The next events, up to `maxBytes` of data but at least one when there is one. Empty: nothing more for now. */
  next(maxBytes: number): LogEvent[] {
    const events: LogEvent[] = [];
    for (let size = 0; size < maxBytes; ) {
      const event = this.#event();
      if (event === null) break;
      events.push(event);
      size += event.data?.length ?? 64;
    }
    return events;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #event(): LogEvent | null {
    for (;;) {
      if (this.#fd === null && !this.#openAt()) return null;
      const record = this.#record();
      if (record === null) {
        const moved = this.#advance();
        if (moved === null) return null;
        if (moved !== "again") return moved;
        continue;
      }
      const before = this.#base;
      if (isOutput(record.kind)) this.#base += record.payload.length;
      const gap = record.kind === "gap" ? gapOf(record) : null;
      if (gap !== null) this.#base += gap.bytes;
      if (record.seq <= this.#seen) continue;
      const first = gap?.first ?? record.seq;
      if (first > this.#seen + 1 && gap === null) return this.#missing(first - 1, before, record);
      this.#seen = record.seq;
      this.#bytes = this.#base;
      return eventOf(record, gap);
    }
  }

  /** A hole inside a segment: only damage makes one. The record is read again behind it. */
  #missing(last: number, bytesThere: number, record: RawRecord): LogEvent {
    this.#at -= RECORD_HEADER_BYTES + record.payload.length;
    this.#base = bytesThere;
    return this.#gap(last, bytesThere, record.timeMs);
  }

  #gap(last: number, bytesThere: number, timeMs: number): LogEvent {
    const event: LogEvent = {
      seq: last,
      timeMs,
      kind: "gap",
      gap: { first: this.#seen + 1, last, bytes: Math.max(0, bytesThere - (this.#bytes ?? this.#base)) },
    };
    this.#seen = last;
    this.#bytes = bytesThere;
    return event;
  }

  #openAt(): boolean {
    const segments = listSegments(this.#dir);
    const first = segments.findLast((seq) => seq <= this.#seen + 1) ?? segments[0];
    return first !== undefined && this.#open(first);
  }

  /** False when the segment is gone or its head not written yet. */
  #open(first: number): boolean {
    try {
      const fd = openSync(join(this.#dir, segmentName(first)), "r");
      const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
      const header = readSync(fd, head, 0, head.length, 0) === head.length ? decodeSegmentHeader(head) : null;
      if (header === null) {
        closeSync(fd);
        return false;
      }
      this.close();
      this.#fd = fd;
      this.#first = first;
      this.#at = SEGMENT_HEADER_BYTES;
      this.#base = header.byteOffset;
      this.#buffer = Buffer.alloc(0);
      return true;
    } catch (error) {
      if (systemCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  #record(): RawRecord | null {
    // The buffer holds the file's bytes from #bufferAt on.
    const cached = this.#buffer.length > 0 ? decodeRecord(this.#buffer, this.#at - this.#bufferAt) : null;
    if (cached !== null) {
      this.#at = this.#bufferAt + cached.next;
      return cached.record;
    }
    this.#fill(CHUNK_BYTES);
    let read = decodeRecord(this.#buffer, 0);
    if (read === null && this.#buffer.length === CHUNK_BYTES) {
      this.#fill(PAYLOAD_MAX + RECORD_HEADER_BYTES);
      read = decodeRecord(this.#buffer, 0);
    }
    if (read === null) return null;
    this.#at = this.#bufferAt + read.next;
    return read.record;
  }

  #fill(bytes: number): void {
    if (this.#scratch === null || this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(bytes);
    const length = this.#fd === null ? 0 : readSync(this.#fd, this.#scratch, 0, bytes, this.#at);
    this.#buffer = this.#scratch.subarray(0, length);
    this.#bufferAt = this.#at;
  }

  /** At the end of a segment: on to the next one ("again"), over a hole (its event), or null when there is none yet. */
  #advance(): LogEvent | "again" | null {
    const next = listSegments(this.#dir).find((seq) => seq > this.#first);
    if (next === undefined) return null;
    // It may have got its last records between the look at it and the look at the directory.
    const late = this.#record();
    if (late !== null) {
      this.#at -= RECORD_HEADER_BYTES + late.payload.length;
      return "again";
    }
    const endOfThis = this.#base;
    if (!this.#open(next)) return null;
    if (next <= this.#seen + 1) return "again";
    this.#bytes ??= endOfThis;
    return this.#gap(next - 1, this.#base, 0);
  }
}

function gapOf(record: RawRecord): { first: number; last: number; bytes: number } | null {
  const value = parseJson(record.payload.toString("utf8"));
  if (!isObject(value)) return null;
  const [first, last, bytes] = [value["first"], value["last"], value["bytes"]];
  return typeof first === "number" && typeof last === "number" && typeof bytes === "number" ? { first, last, bytes } : null;
}

function eventOf(record: RawRecord, gap: { first: number; last: number; bytes: number } | null): LogEvent {
  const base = { seq: record.seq, timeMs: record.timeMs, kind: record.kind };
  if (isOutput(record.kind) || record.kind === "stdin") return { ...base, data: Buffer.from(record.payload) };
  if (gap !== null) return { ...base, gap };
  if (record.kind === "note") return { ...base, text: record.payload.toString("utf8") };
  const value = parseJson(record.payload.toString("utf8"));
  if (!isObject(value)) return base;
  if (record.kind === "resize") return { ...base, size: { cols: Number(value["cols"]), rows: Number(value["rows"]) } };
  if (record.kind !== "exited") return base;
  const code = value["code"];
  const signal = value["signal"];
  return { ...base, exit: { code: typeof code === "number" ? code : null, signal: typeof signal === "string" ? signal : null } };
}
