import { MulticaError } from "./errors.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Cuts a byte stream into lines without their line end (`\n` or `\r\n`); bytes are not decoded before a line is whole.
 * A line over `maxBytes` throws `line_too_long`, at the moment the limit is passed: a line of 100 MB must not be kept.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return lines;
  }

  /** The last line when the stream ended without a line end, else null. */
  end(): Buffer | null {
    return this.#held === 0 ? null : this.#take(Buffer.alloc(0));
  }

  #take(tail: Buffer): Buffer {
    this.#check(this.#held + tail.length);
    const line = this.#held === 0 ? tail : Buffer.concat([...this.#parts, tail]);
    this.#parts = [];
    this.#held = 0;
    return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
  }

  #hold(part: Buffer): void {
    this.#check(this.#held + part.length);
    // A copy: the chunk's memory belongs to the stream's pool and may be large.
    this.#parts.push(Buffer.from(part));
    this.#held += part.length;
  }

  #check(length: number): void {
    if (length <= this.#maxBytes) return;
    this.#parts = [];
    this.#held = 0;
    throw new MulticaError("line_too_long", `token too long: a line is over ${this.#maxBytes} bytes`);
  }
}
