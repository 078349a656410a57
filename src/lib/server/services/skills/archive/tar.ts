import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Parser } from "tar/parse";
import type { ReadEntry } from "tar/read-entry";
import { isMulticaError } from "../../../../core/index.ts";
import { type ArchiveEntry, badArchive, checkCount, unpacksToo } from "./entry.ts";
import { isGzip } from "./kind.ts";

const inflate = promisify(gunzip);

// Long names and other facts about an entry stand in headers of their own, whose reading costs time by the byte.
const FACTS_MAX = 64 * 1024;
const ALL_FACTS_MAX = 4 * 1024 * 1024;
const KINDS: Partial<Record<ReadEntry["type"], ArchiveEntry["kind"]>> = { File: "file", OldFile: "file", ContiguousFile: "file", Link: "link", SymbolicLink: "link" };

/** The bytes that were packed, at most `max` of them. Throws `bad_archive`. */
export async function unpackGzip(bytes: Buffer, max: number): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: max });
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE" ? unpacksToo(max) : badArchive("it is damaged", error);
  }
}

/** What is in a tar archive (ustar, with the long names of pax and GNU). Throws `bad_archive`. */
export function listTar(bytes: Buffer): ArchiveEntry[] {
  // The parser would unpack it by itself, without our bounds.
  if (isGzip(bytes)) throw badArchive("it is packed twice");
  const entries: ArchiveEntry[] = [];
  let count = 0;
  const counted = (): void => {
    count += 1;
    checkCount(count);
  };
  const factsLeft = { bytes: ALL_FACTS_MAX };
  let whole = false;
  // All of it happens within `end`: what a listener throws comes out there.
  const parser = new Parser({ strict: true, brotli: false, zstd: false, maxMetaEntrySize: FACTS_MAX });
  parser.on("error", (error: Error) => {
    throw error;
  });
  parser.on("meta", (facts: string) => {
    counted();
    factsLeft.bytes -= facts.length;
    if (factsLeft.bytes < 0) throw badArchive("its headers are too large");
  });
  parser.on("ignoredEntry", (entry: ReadEntry) => {
    counted();
    // The name of the next one may be in it.
    if (entry.meta) throw badArchive("a header is too large");
  });
  parser.on("entry", (entry: ReadEntry) => {
    counted();
    add(entries, entry);
  });
  parser.on("eof", () => {
    whole = true;
  });
  try {
    parser.end(bytes);
  } catch (error) {
    throw isMulticaError(error, "bad_archive") ? error : badArchive(`it is damaged (${error instanceof Error ? error.message : "?"})`, error);
  }
  if (!whole) throw badArchive("it is cut off");
  return entries;
}

function add(entries: ArchiveEntry[], entry: ReadEntry): void {
  const kind = KINDS[entry.type];
  // Views of the archive, not copies.
  const chunks: Buffer[] = [];
  const { path, size } = entry;
  if (kind === "file") entry.on("data", (chunk: Buffer) => chunks.push(chunk));
  entry.resume();
  if (kind !== undefined) entries.push({ path, kind, read: (max) => Promise.resolve(kind === "link" || size > max ? undefined : Buffer.concat(chunks)) });
}
