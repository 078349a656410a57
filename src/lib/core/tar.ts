import { gunzipSync } from "node:zlib";
import { type ArchiveEntry, badArchive, unpacksTooMuch } from "./archive.ts";

const BLOCK = 512;

export function isGzip(bytes: Buffer): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export function isTar(bytes: Buffer): boolean {
  return bytes.length >= BLOCK && bytes.toString("latin1", 257, 262) === "ustar";
}

/** The bytes that were packed, at most `max` of them. Throws `bad_archive`. */
export function unpackGzip(bytes: Buffer, max: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: max });
  } catch (error) {
    throw badArchive(unpacksTooMuch(error) ? `it unpacks to more than ${max} bytes` : "it is damaged");
  }
}

/** What is in a tar archive (ustar, with the long names of pax and GNU). Throws `bad_archive`. */
export function listTar(bytes: Buffer): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    if (checksum(header) !== octal(header, 148, 8)) throw badArchive("a header is damaged");
    const size = octal(header, 124, 12);
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (data.length !== size) throw badArchive("it is cut off");
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "x") longName = paxPath(data) ?? longName;
    else if (type === "L") longName = text(data, 0, data.length);
    else if (type !== "g") {
      const path = longName ?? nameOf(header);
      longName = undefined;
      if (type === "1" || type === "2") entries.push({ path, kind: "link", read: () => undefined });
      else if (type === "0" || type === "\0") entries.push({ path, kind: "file", read: (max) => (data.length > max ? undefined : data) });
    }
  }
  return entries;
}

function nameOf(header: Buffer): string {
  const name = text(header, 0, 100);
  // GNU's own format has other things where the prefix is.
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** The `path` record of a pax header: `<length> path=<value>\n`. */
function paxPath(data: Buffer): string | undefined {
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(data.toString("latin1", at, space));
    if (!Number.isInteger(length) || length <= 0) throw badArchive("a header is damaged");
    const record = data.toString("utf8", space + 1, at + length - 1);
    if (record.startsWith("path=")) return record.slice(5);
    at += length;
  }
  return undefined;
}

function octal(header: Buffer, start: number, length: number): number {
  const digits = text(header, start, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw badArchive("a header is damaged");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** All bytes of the header added up, its own field counted as blanks. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}

function text(bytes: Buffer, start: number, length: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString("utf8", start, end === -1 || end > start + length ? start + length : end);
}
