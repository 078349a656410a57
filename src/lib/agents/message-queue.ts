import type { AgentMessage } from "./contract.ts";

/** Where a message stands: its number among those of its process, and the log's record that said it. */
export interface MessagePlace {
  /** Name of the process's log; empty for one without. */
  readonly log: string;
  readonly ordinal: number;
  readonly position: number;
}

/**
 * The messages of a run on their way to one reader. Nothing is dropped: while nobody reads, neighbouring text (and
 * neighbouring thinking) becomes one entry, so that memory is bounded by the text itself (agents.md 16.3).
 */
export class MessageQueue implements AsyncIterable<AgentMessage> {
  #entries: Pending[] = [];
  #closed = false;
  #wake: (() => void) | null = null;
  #log = "";
  #pushed = 0;
  #edge = 0;
  #taken: MessagePlace = { log: "", ordinal: 0, position: 0 };

  /** Entries that nobody has taken yet: an idle watchdog must not fire while there are some. */
  get size(): number {
    return this.#entries.length;
  }

  /** The last message that was taken. */
  get taken(): MessagePlace {
    return this.#taken;
  }

  /** The messages of another process follow; nothing is joined over the one with the number `edge`, which a reader asked for. */
  begin(log: string, edge: number): void {
    this.#log = log;
    this.#pushed = 0;
    this.#edge = edge;
  }

  push(message: AgentMessage, position = 0): void {
    if (this.#closed) return;
    this.#pushed += 1;
    const place = { log: this.#log, ordinal: this.#pushed, position };
    const last = this.#entries.at(-1);
    const joins = last?.pieces !== undefined && last.message.kind === message.kind && last.place.log === this.#log && last.place.ordinal !== this.#edge;
    if (joins && "content" in message) {
      last.pieces.push(message.content);
      last.place = place;
    } else this.#entries.push(toPending(message, place));
    this.#signal();
  }

  /** No more messages; the reader still gets those that wait. */
  close(): void {
    this.#closed = true;
    this.#signal();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AgentMessage> {
    for (;;) {
      for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
        this.#taken = entry.place;
        yield fromPending(entry);
      }
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
  /** Of its last piece. */
  place: MessagePlace;
  /** Pieces of a message that may grow; joined once, when it is taken. */
  readonly pieces?: string[];
}

function toPending(message: AgentMessage, place: MessagePlace): Pending {
  return message.kind === "text" || message.kind === "thinking" ? { message, place, pieces: [message.content] } : { message, place };
}

function fromPending({ message, pieces }: Pending): AgentMessage {
  return pieces !== undefined && (message.kind === "text" || message.kind === "thinking") ? { ...message, content: pieces.join("") } : message;
}
