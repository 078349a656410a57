/**
 * Keeps the beginning and the end of a byte stream within a capacity and counts what fell out between them
 * (exec-sessions.md 5). Head and tail get half of the capacity each, an odd byte goes to the tail.
 */
export class HeadTailBuffer {
  readonly #headMax: number;
  readonly #tailMax: number;
  #head: Buffer[] = [];
  #headSize = 0;
  #tail: Buffer[] = [];
  #tailSize = 0;
  #dropped = 0;

  constructor(capacity: number) {
    this.#headMax = Math.floor(capacity / 2);
    this.#tailMax = capacity - this.#headMax;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#headSize + this.#tailSize;
  }
  get dropped(): number {
    return this.#dropped;
  }

  push(chunk: Buffer): void {
    const room = Math.min(this.#headMax - this.#headSize, chunk.length);
    if (room > 0) {
      this.#head.push(chunk.subarray(0, room));
      this.#headSize += room;
    }
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length === 0) return;
    if (rest.length >= this.#tailMax) {
      this.#dropped += this.#tailSize + rest.length - this.#tailMax;
      this.#tail = this.#tailMax === 0 ? [] : [rest.subarray(rest.length - this.#tailMax)];
      this.#tailSize = this.#tailMax;
      return;
    }
    this.#tail.push(rest);
    this.#tailSize += rest.length;
    while (this.#tailSize > this.#tailMax) this.#shorten(this.#tailSize - this.#tailMax);
  }

  /** What is kept, without changing it. `dropped` bytes are missing between the two. */
  snapshot(): { readonly head: Buffer; readonly tail: Buffer; readonly dropped: number } {
    return { head: Buffer.concat(this.#head), tail: Buffer.concat(this.#tail), dropped: this.#dropped };
  }

  /** What is kept; the buffer starts anew. */
  drain(): { readonly head: Buffer; readonly tail: Buffer; readonly dropped: number } {
    const kept = this.snapshot();
    this.#head = [];
    this.#tail = [];
    this.#headSize = this.#tailSize = this.#dropped = 0;
    return kept;
  }

  #shorten(bytes: number): void {
    const oldest = this.#tail[0];
    if (oldest === undefined) return;
    const cut = Math.min(bytes, oldest.length);
    if (cut === oldest.length) this.#tail.shift();
    else this.#tail[0] = oldest.subarray(cut);
    this.#tailSize -= cut;
    this.#dropped += cut;
  }
}
