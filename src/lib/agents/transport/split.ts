import { LineSplitter } from "../../core/index.ts";

/** stderr is free text: what is longer than this is cut into pieces. */
const STDERR_LINE_MAX = 64 * 1024;

/** Cuts the bytes of the two pipes into lines of text, each pipe for itself. */
export class PipeLines {
  readonly #out: LineSplitter;
  #err = new LineSplitter(STDERR_LINE_MAX);

  /** `lineMax`: longest line of stdout in bytes. */
  constructor(lineMax: number) {
    this.#out = new LineSplitter(lineMax);
  }

  /** Throws `line_too_long`. */
  out(chunk: Buffer): string[] {
    return texts(this.#out.push(chunk));
  }

  /** What is left at the end of stdout. Throws `line_too_long`. */
  outEnd(): string[] {
    return texts(rest(this.#out));
  }

  err(chunk: Buffer): string[] {
    const lines: string[] = [];
    for (let at = 0; at < chunk.length; at += STDERR_LINE_MAX) {
      const piece = chunk.subarray(at, at + STDERR_LINE_MAX);
      try {
        lines.push(...texts(this.#err.push(piece)));
      } catch {
        // Over the limit without a line end: what was held is given up, the stream goes on.
        this.#err = new LineSplitter(STDERR_LINE_MAX);
        lines.push(piece.toString("utf8"));
      }
    }
    return lines;
  }

  errEnd(): string[] {
    return texts(rest(this.#err));
  }
}

function texts(buffers: readonly Buffer[]): string[] {
  return buffers.map((buffer) => buffer.toString("utf8"));
}

function rest(splitter: LineSplitter): Buffer[] {
  const last = splitter.end();
  return last === null ? [] : [last];
}
