import { join } from "node:path";
import { errorText } from "../../core/index.ts";
import { type AppendFile, openAppendFile, removeFileNow } from "../../platform/index.ts";
import type { LogKind } from "../types.ts";
import { RECORD_HEADER_BYTES, type RawRecord, encodeRecordHeader, encodeSegmentHeader, isOutput, segmentName } from "./format.ts";

const SEGMENT_BYTES = 1 << 20;
/** Kept in memory while the disk does not take anything. */
const SPARE_BYTES = 1 << 20;

export interface LogWriterOptions {
  readonly dir: string;
  /** On disk: the first segment for ever, and the newest ones. */
  readonly ringBytes: number;
  /** Drop nothing that was not acknowledged (`acknowledge`). */
  readonly keepUnacknowledged: boolean;
  readonly now: () => number;
  /** The disk refuses to write, or writes again. */
  readonly onDegraded: (degraded: boolean, why: string) => void;
  /** Opens a segment; the platform's own unless a test brings a disk that fills up. */
  readonly open?: (path: string) => AppendFile;
}

interface Segment {
  readonly firstSeq: number;
  lastSeq: number;
  readonly file: AppendFile;
  /** Output bytes in it. */
  output: number;
}

interface Waiting {
  readonly record: RawRecord;
  readonly output: number;
}

/**
 * The numbered records of one process on disk (exec-sessions.md 16.3): a head and a tail, with everything between them
 * counted. Calls are synchronous and never throw for the disk: what it does not take is kept in memory up to 1 MiB.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #open: (path: string) => AppendFile;
  #segments: Segment[] = [];
  #lastSeq = 0;
  #totalBytes = 0;
  #droppedBytes = 0;
  #writtenOutput = 0;
  #acknowledged = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #missing: { first: number; last: number; bytes: number } | null = null;
  #degraded = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#open = options.open ?? openAppendFile;
    this.#rotate(1);
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }
  get totalBytes(): number {
    return this.#totalBytes;
  }
  get droppedBytes(): number {
    return this.#droppedBytes;
  }
  get degraded(): boolean {
    return this.#degraded;
  }
  get firstSeqs(): number[] {
    return this.#segments.map((segment) => segment.firstSeq);
  }
  /** True when a journal is full of what nobody has acknowledged: the command must wait. */
  get full(): boolean {
    if (!this.#options.keepUnacknowledged) return false;
    if (this.#waitingBytes > SPARE_BYTES) return true;
    return size(this.#segments.filter((segment) => segment.lastSeq > this.#acknowledged)) > this.#options.ringBytes;
  }

  /** Adds a record; returns its number. */
  append(kind: LogKind, payload: Buffer): number {
    this.#lastSeq += 1;
    const output = isOutput(kind) ? payload.length : 0;
    this.#totalBytes += output;
    const record = { seq: this.#lastSeq, timeMs: this.#options.now(), kind, payload };
    if (this.#degraded || !this.#write(record, output)) this.#keep({ record, output });
    return this.#lastSeq;
  }

  /** Up to here the owner has everything: a journal may drop it. */
  acknowledge(seq: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, seq);
    this.#prune();
  }

  /** Tries again what the disk did not take. */
  retry(): void {
    if (!this.#degraded) return;
    if (this.#missing !== null && !this.#writeGap(this.#missing)) return;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#write(next.record, next.output)) return;
      this.#waiting.shift();
      this.#waitingBytes -= next.record.payload.length;
    }
    this.#degraded = false;
    this.#options.onDegraded(false, "");
  }

  close(): void {
    this.retry();
    this.#segments.at(-1)?.file.close();
  }

  #writeGap(gap: { first: number; last: number; bytes: number }): boolean {
    // Its number is the last missing one, so that numbers stay without holes.
    const payload = Buffer.from(JSON.stringify(gap));
    if (!this.#write({ seq: gap.last, timeMs: this.#options.now(), kind: "gap", payload }, 0, gap.first)) return false;
    this.#writtenOutput += gap.bytes;
    this.#missing = null;
    return true;
  }

  #keep(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.record.payload.length;
    // Of a journal nothing goes: the command is held back (`full`).
    while (!this.#options.keepUnacknowledged && this.#waitingBytes > SPARE_BYTES && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift();
      if (oldest === undefined) break;
      this.#waitingBytes -= oldest.record.payload.length;
      this.#droppedBytes += oldest.output;
      this.#missing ??= { first: oldest.record.seq, last: oldest.record.seq, bytes: 0 };
      this.#missing.last = oldest.record.seq;
      this.#missing.bytes += oldest.output;
    }
  }

  #write(record: RawRecord, output: number, firstSeq = record.seq): boolean {
    try {
      const current = this.#current(record, firstSeq);
      current.file.append([encodeRecordHeader(record), record.payload]);
      current.lastSeq = record.seq;
      current.output += output;
      this.#writtenOutput += output;
      return true;
    } catch (error) {
      if (!this.#degraded) this.#options.onDegraded(true, errorText(error));
      this.#degraded = true;
      return false;
    }
  }

  #current(record: RawRecord, firstSeq: number): Segment {
    const current = this.#segments.at(-1);
    const size = RECORD_HEADER_BYTES + record.payload.length;
    if (current !== undefined && (current.file.size + size <= SEGMENT_BYTES || current.lastSeq < current.firstSeq)) return current;
    const fresh = this.#rotate(firstSeq);
    current?.file.close();
    this.#prune();
    return fresh;
  }

  #rotate(firstSeq: number): Segment {
    const path = join(this.#options.dir, segmentName(firstSeq));
    const file = this.#open(path);
    try {
      file.append([encodeSegmentHeader({ firstSeq, byteOffset: this.#writtenOutput, timeMs: this.#options.now() })]);
    } catch (error) {
      file.close();
      removeFileNow(path);
      throw error;
    }
    const segment = { firstSeq, lastSeq: firstSeq - 1, file, output: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** Deletes segments between the first and the newest ones until the rest fits; of a journal only acknowledged ones. */
  #prune(): void {
    while (size(this.#segments) > this.#options.ringBytes && this.#segments.length > 2) {
      const oldest = this.#segments[1];
      if (oldest === undefined || (this.#options.keepUnacknowledged && oldest.lastSeq > this.#acknowledged)) return;
      removeFileNow(join(this.#options.dir, segmentName(oldest.firstSeq)));
      this.#droppedBytes += oldest.output;
      this.#segments.splice(1, 1);
    }
  }
}

function size(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.file.size, 0);
}
