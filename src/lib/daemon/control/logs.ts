import { type Stats, closeSync, openSync, readSync, statSync } from "node:fs";
import { EXIT, MulticaError } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";

export interface LogOptions {
  readonly path: string;
  /** How many of the last lines come first. */
  readonly lines: number;
  readonly follow: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const CHUNK = 64 * 1024;
const POLL_MS = 500;

/**
 * The last lines of a log, then, with `follow`, every new one until the signal aborts (cli.md 5.4). Raw lines without their
 * line ends; survives rotation. Throws `log_missing` (exit 4) naming the path.
 */
export async function* readLog(options: LogOptions): AsyncGenerator<string> {
  const stats = statSync(options.path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new MulticaError("log_missing", `there is no log at ${options.path}`, {
      exit: EXIT.notFound,
      suggestions: ["The daemon has not been started with this profile yet."],
    });
  }
  yield* lastLines(options.path, stats.size, options.lines);
  if (options.follow) yield* followLog(options, stats);
}

/** The last `count` lines of the first `size` bytes, read backwards in chunks: logs may be large. */
function lastLines(path: string, size: number, count: number): string[] {
  if (count <= 0 || size === 0) return [];
  const fd = openSync(path, "r");
  try {
    let from = size;
    let text = Buffer.alloc(0);
    while (from > 0 && newlines(text) <= count) {
      const length = Math.min(CHUNK, from);
      from -= length;
      text = Buffer.concat([readAt(fd, from, length), text]);
    }
    const lines = text.toString("utf8").split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-count);
  } finally {
    closeSync(fd);
  }
}

async function* followLog(options: LogOptions, start: Stats): AsyncGenerator<string> {
  let inode = start.ino;
  let offset = start.size;
  let rest = Buffer.alloc(0);
  while (!options.signal.aborted) {
    const now = statSync(options.path, { throwIfNoEntry: false });
    if (now !== undefined && (now.ino !== inode || now.size < offset)) {
      inode = now.ino;
      offset = 0;
      rest = Buffer.alloc(0);
    }
    if (now !== undefined && now.size > offset) {
      const data = Buffer.concat([rest, readFile(options.path, offset, now.size - offset)]);
      offset = now.size;
      const end = data.lastIndexOf(10) + 1;
      rest = data.subarray(end);
      if (end > 0) yield* data.subarray(0, end - 1).toString("utf8").split("\n");
    }
    await options.clock.sleep(POLL_MS, options.signal).catch(() => undefined);
  }
}

function readFile(path: string, offset: number, length: number): Buffer {
  const fd = openSync(path, "r");
  try {
    return readAt(fd, offset, length);
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(fd, buffer, 0, length, offset));
}

function newlines(data: Buffer): number {
  let count = 0;
  for (const byte of data) if (byte === 10) count += 1;
  return count;
}
