import { crc32 } from "node:zlib";
import type { LogKind } from "../types.ts";

/** Kinds of records by their number on disk (exec-sessions.md 16.3); 9 is ours: what was written to a journalled stdin. */
const KINDS: readonly (LogKind | null)[] = [null, "stdout", "stderr", "pty", "gap", "resize", "exited", "closed", "note", "stdin"];

const MAGIC = "MXS1";
const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 30;
export const RECORD_HEADER_BYTES = 28;
/** Longer payloads are not written; a length above it in a file is damage. */
export const PAYLOAD_MAX = 1 << 20;

export interface SegmentHeader {
  readonly firstSeq: number;
  /** Output bytes of the process before this segment. */
  readonly byteOffset: number;
  readonly timeMs: number;
}

export interface RawRecord {
  readonly seq: number;
  readonly timeMs: number;
  readonly kind: LogKind;
  readonly payload: Buffer;
}

export function segmentName(firstSeq: number): string {
  return `seg-${String(firstSeq).padStart(12, "0")}.bin`;
}

/** First sequence number of a segment by its file name, or null for another file. */
export function segmentSeq(name: string): number | null {
  const match = /^seg-(\d{12,})\.bin$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** True for kinds whose payload is output of the command: what byte counts are about. */
export function isOutput(kind: LogKind): boolean {
  return kind === "stdout" || kind === "stderr" || kind === "pty";
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt16LE(FORMAT_VERSION, 4);
  bytes.writeBigUInt64LE(BigInt(header.firstSeq), 6);
  bytes.writeBigUInt64LE(BigInt(header.byteOffset), 14);
  bytes.writeBigUInt64LE(BigInt(header.timeMs), 22);
  return bytes;
}

/** Null when the bytes are no segment of this format. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.toString("latin1", 0, 4) !== MAGIC) return null;
  if (bytes.readUInt16LE(4) !== FORMAT_VERSION) return null;
  return {
    firstSeq: Number(bytes.readBigUInt64LE(6)),
    byteOffset: Number(bytes.readBigUInt64LE(14)),
    timeMs: Number(bytes.readBigUInt64LE(22)),
  };
}

/** Header of a record; the payload is appended behind it as it is. */
export function encodeRecordHeader(record: RawRecord): Buffer {
  const bytes = Buffer.alloc(RECORD_HEADER_BYTES);
  bytes.writeUInt32LE(record.payload.length, 0);
  bytes.writeUInt8(Math.max(1, KINDS.indexOf(record.kind)), 4);
  bytes.writeBigUInt64LE(BigInt(record.seq), 8);
  bytes.writeBigUInt64LE(BigInt(record.timeMs), 16);
  bytes.writeUInt32LE(crc32(record.payload, crc32(bytes.subarray(0, 24))), 24);
  return bytes;
}

/** The record at `at`; null when it is not there completely, or damaged: readers stop before it. */
export function decodeRecord(bytes: Buffer, at: number): { readonly record: RawRecord; readonly next: number } | null {
  if (at + RECORD_HEADER_BYTES > bytes.length) return null;
  const length = bytes.readUInt32LE(at);
  const end = at + RECORD_HEADER_BYTES + length;
  if (length > PAYLOAD_MAX || end > bytes.length) return null;
  const payload = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  const kind = KINDS[bytes.readUInt8(at + 4)];
  if (crc32(payload, crc32(bytes.subarray(at, at + 24))) !== bytes.readUInt32LE(at + 24)) return null;
  if (kind === null || kind === undefined) return null;
  const seq = Number(bytes.readBigUInt64LE(at + 8));
  return { record: { seq, timeMs: Number(bytes.readBigUInt64LE(at + 16)), kind, payload }, next: end };
}
