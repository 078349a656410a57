import type { AgentMessage } from "./contract.ts";

/**
 * The messages of a run on their way to one reader. Nothing is dropped: while nobody reads, neighbouring text (and
 * neighbouring thinking) becomes one entry, so that memory is bounded by the text itself (agents.md 16.3).
 */
export class MessageQueue implements AsyncIterable<AgentMessage> {
  #entries: Pending[] = [];
  #closed = false;
  #wake: (() => void) | null = null;

  /** Entries that nobody has taken yet: an idle watchdog must not fire while there are some. */
  get size(): number {
    return this.#entries.length;
  }

  push(message: AgentMessage): void {
    if (this.#closed) return;
    const last = this.#entries.at(-1);
    if (last?.pieces !== undefined && last.message.kind === message.kind && "content" in message) last.pieces.push(message.content);
    else this.#entries.push(toPending(message));
    this.#signal();
  }

  /** No more messages; the reader still gets those that wait. */
  close(): void {
    this.#closed = true;
    this.#signal();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AgentMessage> {
    for (;;) {
      for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) yield fromPending(entry);
      if (this.#closed) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #signal(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

interface Pending {
  readonly message: AgentMessage;
  /** Pieces of a message that may grow; joined once, when it is taken. */
  readonly pieces?: string[];
}

function toPending(message: AgentMessage): Pending {
  return message.kind === "text" || message.kind === "thinking" ? { message, pieces: [message.content] } : { message };
}

function fromPending({ message, pieces }: Pending): AgentMessage {
  return pieces !== undefined && (message.kind === "text" || message.kind === "thinking") ? { ...message, content: pieces.join("") } : message;
}
