import { closeSync, openSync, readSync, statSync } from "node:fs";
import { FactsReader } from "./facts.ts";
import { LineScanner } from "./lines.ts";
import { readCompressed } from "./zst.ts";

const CHUNK = 64 * 1024;
const HEAD_MAX = 16 * 1024 * 1024;
const RECORDS = 10;

/** Whose rollout a file is, from its first records. `unknown`: it is there, but does not say (state-db.md 7.2). */
export type RolloutOwner = { readonly kind: "gone" } | { readonly kind: "unknown"; readonly path: string } | { readonly kind: "thread"; readonly path: string; readonly id: string };

/** Looks at the file at `path` (its plain form), or at its compressed sibling when only that one is there. */
export async function rolloutOwner(path: string): Promise<RolloutOwner> {
  if (isFile(path)) return ownerOf(path, path.endsWith(".zst") ? await compressedOwner(path) : plainOwner(path));
  const packed = `${path}.zst`;
  return isFile(packed) ? ownerOf(packed, await compressedOwner(packed)) : { kind: "gone" };
}

function ownerOf(path: string, id: string | null): RolloutOwner {
  return id === null ? { kind: "unknown", path } : { kind: "thread", path, id };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function plainOwner(path: string): string | null {
  const reader = new FactsReader();
  const scanner = new LineScanner((line, last) => reader.read(line, last));
  try {
    const fd = openSync(path, "r");
    try {
      const buffer = Buffer.allocUnsafe(CHUNK);
      for (let at = 0; at < HEAD_MAX && scanner.lines < RECORDS && reader.facts.threadId === null; ) {
        const count = readSync(fd, buffer, 0, CHUNK, at);
        if (count === 0) {
          scanner.end();
          break;
        }
        scanner.push(buffer.subarray(0, count));
        at += count;
      }
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
  return reader.facts.threadId;
}

async function compressedOwner(path: string): Promise<string | null> {
  try {
    const read = await readCompressed(path, { headOnly: true });
    return read.status === "ok" ? read.facts.threadId : null;
  } catch {
    return null;
  }
}
