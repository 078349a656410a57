const FIRST_LINE_MAX = 16 * 1024 * 1024;
const LINE_MAX = 1024 * 1024;

/**
 * Cuts chunks into lines and hands each on as soon as it is whole. Lines over 1 MiB (16 MiB for the first, which carries
 * the base instructions) are passed over and counted, so that memory stays flat whatever the file holds.
 */
export class LineScanner {
  /** Lines met so far, the ones passed over included. */
  lines = 0;
  tooLong = 0;
  /** Bytes up to the end of the last whole line. */
  wholeBytes = 0;
  readonly #onLine: (line: Buffer, last: boolean) => void;
  #carry: Buffer[] = [];
  #carried = 0;
  #skipping = false;

  constructor(onLine: (line: Buffer, last: boolean) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#add(chunk.subarray(from, at));
      this.wholeBytes += this.#carried + 1;
      this.#flush(false);
      this.lines += 1;
      from = at + 1;
    }
    this.#add(chunk.subarray(from), true);
  }

  /** What is left behind the last line end: a whole record without its end, or half of one that is being written. */
  end(): void {
    if (this.#carried > 0) this.#flush(true);
  }

  #add(part: Buffer, keep = false): void {
    this.#carried += part.length;
    if (this.#skipping || part.length === 0) return;
    if (this.#carried > (this.lines === 0 ? FIRST_LINE_MAX : LINE_MAX)) {
      this.#skipping = true;
      this.#carry = [];
      return;
    }
    // A part that waits for the next chunk must not point into a buffer that is used again.
    this.#carry.push(keep ? Buffer.from(part) : part);
  }

  #flush(last: boolean): void {
    const [first] = this.#carry;
    if (this.#skipping) this.tooLong += 1;
    else if (first !== undefined) this.#onLine(this.#carry.length === 1 ? first : Buffer.concat(this.#carry), last);
    this.#carry = [];
    this.#carried = 0;
    this.#skipping = false;
  }
}
