import type { Readable } from "node:stream";
import { MulticaError, errorText } from "../../core/index.ts";
import { type Clock, type GroupChild, spawnGroup, terminateTree } from "../../platform/index.ts";
import { LineQueue } from "./line-queue.ts";
import { PipeLines } from "./split.ts";
import type { AgentTransport, TreeEnd } from "./transport.ts";

export interface ChildTransportOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Longest line of stdout, in bytes; a longer one ends the stream with `line_too_long`. */
  readonly lineMax: number;
  /** Variable that every process of this run bears, for the sweep behind the group. */
  readonly markerName: string;
  /** What bears the marker and belongs to somebody else all the same; asked when the tree is ended. */
  readonly spare?: (() => { readonly name: string; readonly values: ReadonlySet<string> }) | undefined;
  readonly clock: Clock;
}

/**
 * The agent as a child of this process, leading a group of its own.
 * Rejects with `spawn_failed` when it cannot be started.
 */
export async function childTransport(options: ChildTransportOptions): Promise<AgentTransport> {
  const child = await spawnGroup({ command: options.command, args: options.args, cwd: options.cwd, env: { ...options.env } });
  const lines = new LineQueue();
  readPipes(child, options.lineMax, lines);
  const input = writer(child);
  const marker = options.env[options.markerName];
  return {
    pid: child.pid,
    write: input.write,
    endInput: input.end,
    inputFailed: input.failed,
    lines,
    exited: child.exited,
    closePipes() {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      lines.end();
    },
    async terminate(graceMs: number): Promise<TreeEnd> {
      const { gone, survivors } = await terminateTree({
        pid: child.pid,
        graceMs,
        clock: options.clock,
        ...(options.spare === undefined ? {} : { spare: options.spare() }),
        ...(marker === undefined ? {} : { marker: { name: options.markerName, value: marker } }),
      });
      return { gone, survivors };
    },
  };
}

function readPipes(child: GroupChild, lineMax: number, lines: LineQueue): void {
  const split = new PipeLines(lineMax);
  let open = 2;
  const closed = (): void => {
    open -= 1;
    if (open === 0) lines.end();
  };
  readOut(child.stdout, split, lines, closed);
  child.stderr.on("data", (chunk: Buffer) => push(lines, "err", split.err(chunk)));
  child.stderr.once("end", () => push(lines, "err", split.errEnd()));
  child.stderr.once("close", closed);
}

function readOut(stream: Readable, split: PipeLines, lines: LineQueue, closed: () => void): void {
  const fail = (error: unknown): void => {
    lines.fail(error instanceof Error ? error : new MulticaError("stdout_read_failed", errorText(error)));
    // Closed before the child is waited for: it may be blocked on a full pipe.
    stream.destroy();
  };
  const guarded = (work: () => string[]): void => {
    try {
      push(lines, "out", work());
    } catch (error) {
      fail(error);
    }
  };
  stream.on("data", (chunk: Buffer) => guarded(() => split.out(chunk)));
  stream.once("end", () => guarded(() => split.outEnd()));
  stream.once("error", (error) => fail(new MulticaError("stdout_read_failed", errorText(error), { cause: error })));
  stream.once("close", closed);
}

function push(lines: LineQueue, stream: "out" | "err", texts: readonly string[]): void {
  for (const line of texts) lines.push({ stream, line });
}

/** Writes are queued by the stream, concurrently with reading: a child that prints before it reads cannot deadlock us. */
function writer(child: GroupChild): { write: (line: string) => void; end: () => void; failed: Promise<string> } {
  let ended = false;
  const { promise: failed, resolve } = Promise.withResolvers<string>();
  child.stdin.once("error", (error) => resolve(errorText(error)));
  return {
    write(line) {
      if (ended || child.stdin.destroyed) return resolve("input is closed");
      child.stdin.write(`${line}\n`);
    },
    end() {
      if (ended) return;
      ended = true;
      child.stdin.end();
    },
    failed,
  };
}
