import { readFileSync } from "node:fs";
import type { SqlRow, SqlValue } from "../platform/index.ts";

interface Column {
  readonly name: string;
  readonly type: string;
}

const LEAF = 0x0d;
const HEADER = 8;

/**
 * Reads rows from the leaf pages of a database file without its trees: for tables whose upper pages are damaged. A row is
 * taken when it has as many columns as the table and each of the column's type. The write-ahead log is not looked at.
 * The file format is SQLite's (https://sqlite.org/fileformat2.html).
 */
export function carveRows(path: string, columns: readonly Column[], take: (row: SqlRow) => void): void {
  const file = readFileSync(path);
  const pageSize = 4096;
  for (let start = 0; start + pageSize <= file.length; start += pageSize) {
    const at = start === 0 ? 100 : start;
    if (file[at] !== LEAF) continue;
    const cells = file.readUInt16BE(at + 3);
    for (let index = 0; index < cells && at + HEADER + 2 * index + 2 <= start + pageSize; index += 1) {
      const row = rowAt({ file, pageSize }, start + file.readUInt16BE(at + HEADER + 2 * index), columns);
      if (row !== null) take(row);
    }
  }
}

interface Source {
  readonly file: Buffer;
  readonly pageSize: number;
}

function rowAt(source: Source, at: number, columns: readonly Column[]): SqlRow | null {
  try {
    const size = varint(source.file, at);
    const rowid = varint(source.file, size.next);
    if (size.value < 2 || size.value > source.file.length) return null;
    const payload = payloadAt(source, rowid.next, size.value);
    return payload === null ? null : record(payload, rowid.value, columns);
  } catch {
    // It runs out of the file, or names a type that does not exist: no row.
    return null;
  }
}

/** The record of a cell, with what lies in overflow pages. */
function payloadAt({ file, pageSize }: Source, at: number, size: number): Buffer | null {
  const most = pageSize - 35;
  if (size <= most) return at + size <= file.length ? file.subarray(at, at + size) : null;
  const least = Math.floor(((pageSize - 12) * 32) / 255) - 23;
  const fitting = least + ((size - least) % (pageSize - 4));
  const local = fitting <= most ? fitting : least;
  const parts = [file.subarray(at, at + local)];
  let got = local;
  for (let next = file.readUInt32BE(at + local); got < size; ) {
    const page = (next - 1) * pageSize;
    if (next < 1 || page + pageSize > file.length) return null;
    const part = file.subarray(page + 4, page + 4 + Math.min(size - got, pageSize - 4));
    parts.push(part);
    got += part.length;
    next = file.readUInt32BE(page);
  }
  return Buffer.concat(parts);
}

function record(payload: Buffer, rowid: number, columns: readonly Column[]): SqlRow | null {
  const header = varint(payload, 0);
  const types: number[] = [];
  let at = header.next;
  while (at < header.value) {
    const type = varint(payload, at);
    types.push(type.value);
    at = type.next;
  }
  if (at !== header.value || types.length !== columns.length) return null;
  const row: Record<string, SqlValue> = {};
  for (const [index, column] of columns.entries()) {
    const type = types[index] ?? 0;
    const length = lengthOf(type);
    if (at + length > payload.length) return null;
    const value = valueOf(payload.subarray(at, at + length), type);
    // The number of the row stands for its INTEGER PRIMARY KEY.
    row[column.name] = index === 0 && value === null && column.type === "INTEGER" ? rowid : value;
    if (!fits(row[column.name] ?? null, column.type)) return null;
    at += length;
  }
  return at === payload.length ? row : null;
}

function fits(value: SqlValue, type: string): boolean {
  if (value === null) return true;
  if (type === "TEXT") return typeof value === "string";
  return type !== "INTEGER" || typeof value === "number";
}

function lengthOf(type: number): number {
  if (type <= 4) return type;
  if (type === 5) return 6;
  if (type === 6 || type === 7) return 8;
  if (type === 8 || type === 9) return 0;
  if (type < 12) throw new RangeError("reserved");
  return Math.floor((type - 12) / 2);
}

function valueOf(bytes: Buffer, type: number): SqlValue {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type === 7) return bytes.readDoubleBE(0);
  if (type === 6) return Number(bytes.readBigInt64BE(0));
  if (type <= 5) return bytes.readIntBE(0, bytes.length);
  return type % 2 === 1 ? bytes.toString("utf8") : new Uint8Array(bytes);
}

/** SQLite's variable-length integer; numbers beyond 2^53 do not occur here. */
function varint(buffer: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = buffer.readUInt8(at + index);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return { value: value * 256 + buffer.readUInt8(at + 8), next: at + 9 };
}
