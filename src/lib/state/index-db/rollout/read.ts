import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { FactsReader, type ReadRollout } from "./facts.ts";
import { LineScanner } from "./lines.ts";
import { parseRolloutName } from "./name.ts";
import { readCompressed } from "./zst.ts";

const CHUNK = 64 * 1024;
const WHOLE_MAX = 256 * 1024;
const HEAD_MAX = 8 * 1024 * 1024;
const FIRST_MAX = 16 * 1024 * 1024;
const TAILS = [64 * 1024, 1024 * 1024];

/**
 * What a rollout says about its thread (state-db.md 3, 18.3). Of a long file only the head, up to the first message of
 * the user, and the end are read: its size does not matter. Never throws: a file that cannot be read has a status.
 */
export async function readRollout(path: string): Promise<ReadRollout> {
  const name = parseRolloutName(basename(path));
  let read: ReadRollout;
  try {
    read = name?.compressed === true ? await readCompressed(path) : readPlain(path);
  } catch {
    read = { status: "unreadable", facts: new FactsReader().finish(), parseErrors: 0, parsedBytes: 0 };
  }
  const { facts } = read;
  if (facts.threadId === null && read.status !== "empty") facts.threadId = name?.threadId ?? null;
  facts.createdMs ??= name?.createdMs ?? null;
  return read;
}

function readPlain(path: string): ReadRollout {
  const fd = openSync(path, "r");
  try {
    const size = fstatSync(fd).size;
    const reader = new FactsReader();
    if (size === 0) return resultOf(reader, 0, 0);
    const scanner = new LineScanner((line, last) => reader.read(line, last));
    const buffer = Buffer.allocUnsafe(CHUNK);
    let at = 0;
    let scanned = 0;
    while (at < size && (size <= WHOLE_MAX || (!reader.headDone && scanned < HEAD_MAX))) {
      const count = readSync(fd, buffer, 0, Math.min(CHUNK, size - at), at);
      if (count === 0) break;
      at += count;
      scanner.push(buffer.subarray(0, count));
      // The first line may be long; the search for the first message starts behind it.
      if (scanner.lines > 0 || at > FIRST_MAX) scanned += count;
    }
    if (at >= size) {
      scanner.end();
      return resultOf(reader, scanner.tooLong, scanner.wholeBytes);
    }
    const whole = readTail(fd, size, scanner.wholeBytes, reader);
    return resultOf(reader, scanner.tooLong, whole);
  } finally {
    closeSync(fd);
  }
}

/** The last lines: latest totals and model. Looks further back once when the last 64 KiB hold no total. */
function readTail(fd: number, size: number, from: number, reader: FactsReader): number {
  const { errors } = reader;
  let whole = from;
  for (const length of TAILS) {
    reader.errors = errors;
    const start = Math.max(from, size - length);
    const buffer = Buffer.allocUnsafe(size - start);
    const part = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, start));
    // Where the read starts inside a line, that line is left out.
    const first = start === from ? 0 : part.indexOf(10) + 1;
    const scanner = new LineScanner((line, last) => reader.read(line, last));
    const { totals } = reader;
    scanner.push(part.subarray(first));
    scanner.end();
    whole = start + first + scanner.wholeBytes;
    if (reader.totals > totals || start === from) break;
  }
  return whole;
}

function resultOf(reader: FactsReader, tooLong: number, parsedBytes: number): ReadRollout {
  const facts = reader.finish();
  const parseErrors = reader.errors + tooLong;
  if (facts.threadId !== null) return { status: "ok", facts, parseErrors, parsedBytes };
  return { status: parsedBytes === 0 && parseErrors === 0 ? "empty" : "no_meta", facts, parseErrors, parsedBytes };
}
