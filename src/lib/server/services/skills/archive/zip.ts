import { isUtf8 } from "node:buffer";
import { crc32 } from "node:zlib";
import { type Entry, type ZipFile, fromBufferPromise, getFileNameLowLevel } from "yauzl";
import { type ArchiveEntry, badArchive, checkCount, unpacksToo } from "./entry.ts";

const UTF8 = 0x0800;
const LINK_MODE = 0o120000;
const TYPE_MASK = 0o170000;

/**
 * What is in a ZIP archive, by its directory; nothing is unpacked yet, and all reads together unpack at most `total`
 * bytes: entries may share their bytes. Throws `bad_archive`.
 */
export async function listZip(bytes: Buffer, total: number): Promise<ArchiveEntry[]> {
  // Names are told to people and checked by the caller; sizes are claims, held against what comes out (`unpacked`).
  const zip = await fromBufferPromise(bytes, { decodeStrings: false, validateEntrySizes: false }).catch((error: unknown) => {
    throw badArchive("it is not a whole ZIP archive", error);
  });
  checkCount(zip.entryCount);
  const entries: ArchiveEntry[] = [];
  const budget = { total, left: total };
  for await (const entry of listed(zip)) {
    const path = nameOf(entry);
    const mode = entry.externalFileAttributes >>> 16;
    if (!path.endsWith("/")) entries.push({ path, kind: (mode & TYPE_MASK) === LINK_MODE ? "link" : "file", read: (max) => readEntry(zip, entry, path, max, budget) });
  }
  return entries;
}

async function* listed(zip: ZipFile): AsyncGenerator<Entry> {
  try {
    yield* zip.eachEntry();
  } catch (error) {
    throw badArchive(`its directory is damaged (${error instanceof Error ? error.message : "?"})`, error);
  }
}

/** Programs that do not say that their names are UTF-8 write it nevertheless; backslashes stay what they are. */
function nameOf(entry: Entry): string {
  const flags = isUtf8(entry.fileNameRaw) ? entry.generalPurposeBitFlag | UTF8 : entry.generalPurposeBitFlag;
  return getFileNameLowLevel(flags, entry.fileNameRaw, entry.extraFields, true);
}

async function readEntry(zip: ZipFile, entry: Entry, path: string, max: number, budget: { readonly total: number; left: number }): Promise<Buffer | undefined> {
  if (entry.isEncrypted()) throw badArchive(`${path} needs a password`);
  if (!entry.canDecodeFileData()) throw badArchive(`${path} is packed in a way that is not known here`);
  if (entry.uncompressedSize > max) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of unpacked(zip, entry, path)) {
    size += chunk.length;
    budget.left -= chunk.length;
    if (budget.left < 0) throw unpacksToo(budget.total);
    // The size in the directory is a claim: it must not decide what is unpacked.
    if (size > max) return undefined;
    chunks.push(chunk);
  }
  const plain = Buffer.concat(chunks);
  if (plain.length !== entry.uncompressedSize || crc32(plain) !== entry.crc32) throw badArchive(`${path} is damaged`);
  return plain;
}

async function* unpacked(zip: ZipFile, entry: Entry, path: string): AsyncGenerator<Buffer> {
  try {
    yield* (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>;
  } catch (error) {
    throw badArchive(`${path} is damaged`, error);
  }
}
