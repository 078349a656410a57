import { createReadStream } from "node:fs";
import * as zlib from "node:zlib";
import type { Transform } from "node:stream";
import { FactsReader, type ReadRollout } from "./facts.ts";
import { LineScanner } from "./lines.ts";

const UNPACKED_MAX = 256 * 1024 * 1024;

/** The unpacker; undefined where this Node has none (before 22.15). */
const unpacker = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress;

export const canUnpack = unpacker !== undefined;

/**
 * A compressed rollout, unpacked as a stream and looked through to its end (or 256 MiB). A file that ends too early or
 * turns to garbage counts as far as it goes. Without zstd in this Node its name has to do.
 */
export async function readCompressed(path: string, options: { readonly headOnly?: boolean } = {}): Promise<ReadRollout> {
  const reader = new FactsReader();
  if (unpacker === undefined) return { status: "no_meta", facts: reader.finish(), parseErrors: 0, parsedBytes: 0 };
  const scanner = new LineScanner((line, last) => reader.read(line, last));
  const source = createReadStream(path);
  const stream = unpacker();
  let failed = false;
  let unpacked = 0;
  source.on("error", (error) => stream.destroy(error));
  try {
    for await (const chunk of source.pipe(stream)) {
      scanner.push(chunk as Buffer);
      unpacked += (chunk as Buffer).length;
      if (unpacked > UNPACKED_MAX || (options.headOnly === true && reader.facts.threadId !== null)) break;
    }
  } catch {
    failed = true;
  } finally {
    source.destroy();
    stream.destroy();
  }
  scanner.end();
  const facts = reader.finish();
  const parseErrors = reader.errors + scanner.tooLong;
  const status = facts.threadId !== null ? "ok" : failed ? "unreadable" : unpacked === 0 ? "empty" : "no_meta";
  return { status, facts, parseErrors, parsedBytes: scanner.wholeBytes };
}
