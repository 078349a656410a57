import type { TransportLine } from "./transport.ts";

/** Lines of two pipes in the order they came, for one reader. An error is thrown behind the lines that came before it. */
export class LineQueue implements AsyncIterable<TransportLine> {
  #lines: TransportLine[] = [];
  #failure: Error | null = null;
  #ended = false;
  #wake: (() => void) | null = null;

  push(line: TransportLine): void {
    if (this.#ended) return;
    this.#lines.push(line);
    this.#signal();
  }

  end(): void {
    this.#ended = true;
    this.#signal();
  }

  fail(error: Error): void {
    if (this.#ended) return;
    this.#failure = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TransportLine> {
    for (;;) {
      const batch = this.#lines;
      this.#lines = [];
      yield* batch;
      if (this.#lines.length > 0) continue;
      if (this.#ended) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure !== null) throw this.#failure;
  }

  #signal(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
