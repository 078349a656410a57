import { crc32, inflateRawSync } from "node:zlib";
import { type ArchiveEntry, badArchive, unpacksTooMuch } from "./archive.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
/** Names are UTF-8. */
const UTF8 = 0x0800;
const ENCRYPTED = 0x0001;
// 1980-01-01: the archive of the same files is the same bytes.
const DOS_DATE = 0x0021;
const LINK_MODE = 0o120000;
const TYPE_MASK = 0o170000;

export function isZip(bytes: Buffer): boolean {
  return bytes.length >= 4 && (bytes.readUInt32LE(0) === LOCAL || bytes.readUInt32LE(0) === END);
}

/** What is in a ZIP archive, by its directory; nothing is unpacked yet. Throws `bad_archive` (also for ZIP64 and passwords). */
export function listZip(bytes: Buffer): ArchiveEntry[] {
  const end = endOf(bytes);
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (count === 0xffff || at === 0xffffffff) throw badArchive("it is too large");
  const entries: ArchiveEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    if (at + CENTRAL_BYTES > end || bytes.readUInt32LE(at) !== CENTRAL) throw badArchive("its directory is damaged");
    const nameBytes = bytes.readUInt16LE(at + 28);
    const path = bytes.toString("utf8", at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes);
    const mode = bytes.readUInt32LE(at + 38) >>> 16;
    const fields = { flags: bytes.readUInt16LE(at + 8), method: bytes.readUInt16LE(at + 10), crc: bytes.readUInt32LE(at + 16), packed: bytes.readUInt32LE(at + 20), size: bytes.readUInt32LE(at + 24), local: bytes.readUInt32LE(at + 42) };
    if (!path.endsWith("/")) entries.push({ path, kind: (mode & TYPE_MASK) === LINK_MODE ? "link" : "file", read: (max) => readEntry(bytes, path, fields, max) });
    at += CENTRAL_BYTES + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

interface Fields {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

function readEntry(bytes: Buffer, path: string, entry: Fields, max: number): Buffer | undefined {
  if ((entry.flags & ENCRYPTED) !== 0) throw badArchive(`${path} needs a password`);
  if (entry.size > max) return undefined;
  if (entry.local + LOCAL_BYTES > bytes.length || bytes.readUInt32LE(entry.local) !== LOCAL) throw badArchive(`${path} is damaged`);
  const start = entry.local + LOCAL_BYTES + bytes.readUInt16LE(entry.local + 26) + bytes.readUInt16LE(entry.local + 28);
  const packed = bytes.subarray(start, start + entry.packed);
  if (packed.length !== entry.packed) throw badArchive(`${path} is cut off`);
  const plain = entry.method === 0 ? packed : inflated(path, entry.method, packed, max);
  // The size in the directory is a claim: it must not decide what is unpacked.
  if (plain === undefined) return undefined;
  if (plain.length !== entry.size || crc32(plain) !== entry.crc) throw badArchive(`${path} is damaged`);
  return plain;
}

function inflated(path: string, method: number, packed: Buffer, max: number): Buffer | undefined {
  if (method !== 8) throw badArchive(`${path} is packed in a way that is not known here`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, max) });
  } catch (error) {
    if (unpacksTooMuch(error)) return undefined;
    throw badArchive(`${path} is damaged`);
  }
}

function endOf(bytes: Buffer): number {
  for (let at = bytes.length - END_BYTES; at >= Math.max(0, bytes.length - END_BYTES - MAX_COMMENT); at -= 1) {
    if (bytes.readUInt32LE(at) === END && at + END_BYTES + bytes.readUInt16LE(at + 20) === bytes.length) return at;
  }
  throw badArchive("it is not a whole ZIP archive");
}

/** A ZIP archive of texts, not compressed, in the order given: for a few small files. */
export function writeZip(files: readonly { readonly path: string; readonly content: string }[]): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file.path);
    const data = Buffer.from(file.content);
    const common = Buffer.alloc(LOCAL_BYTES - 4);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(UTF8, 2);
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const central = Buffer.alloc(CENTRAL_BYTES);
    central.writeUInt32LE(CENTRAL, 0);
    central.writeUInt16LE(20, 4);
    common.copy(central, 6);
    central.writeUInt32LE(offset, 42);
    parts.push(word(LOCAL), common, name, data);
    directory.push(central, name);
    offset += LOCAL_BYTES + name.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
