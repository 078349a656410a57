import { isMulticaError } from "../core/index.ts";
import { type HostClient, connectHost } from "./client.ts";
import type { ExecCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import { readToken } from "./files.ts";
import { LogReader } from "./log/reader.ts";
import { fromWire } from "./protocol.ts";
import type { ExecFollow, FollowStream, LogEvent } from "./types.ts";

const CONNECT_MS = 5000;
const FILE_BYTES = 256 * 1024;

/** Records of a process from a position on: live from its host, over a connection of its own, then the rest from the files. */
export async function follow(core: ExecCore, entry: Entry, options: ExecFollow): Promise<FollowStream> {
  const queue = new EventQueue(options.signal);
  if (options.sessionBound === true) entry.links.add(() => queue.sever());
  const client = entry.final ? null : await view(core, entry, queue).catch(ignoreGone);
  if (client === null) return stream(core, entry, options, queue, null);
  void client.closed.then(() => queue.end());
  await client.request("follow", { after_seq: options.afterSeq, after_bytes: options.afterSeq === 0 ? 0 : null, window: options.window ?? 1 << 20 });
  return stream(core, entry, options, queue, client);
}

function view(core: ExecCore, entry: Entry, queue: EventQueue): Promise<HostClient> {
  const { row } = entry;
  const { clock, epoch, instanceId } = core.parts;
  return connectHost({
    ...{ socket: row.socket, token: readToken(row.dir) ?? "", role: "viewer", epoch, instanceId, nonceHash: row.nonce_hash, clock, timeoutMs: CONNECT_MS },
    onEvent: (event) => event.ev === "out" && queue.push(fromWire(event.event)),
  });
}

function ignoreGone(error: unknown): null {
  if (isMulticaError(error)) return null;
  throw error;
}

function stream(core: ExecCore, entry: Entry, options: ExecFollow, queue: EventQueue, client: HostClient | null): FollowStream {
  const iterate = async function* (): AsyncGenerator<LogEvent> {
    let seen = options.afterSeq;
    try {
      for await (const event of queue.events(client === null)) {
        seen = event.seq;
        yield event;
        if (event.kind === "closed") return;
      }
      if (queue.cut) return;
      // The host has gone before everything was sent: its files have the rest.
      await Promise.race([entry.finished, core.parts.clock.sleep(CONNECT_MS)]);
      yield* fromFiles(entry, seen);
    } finally {
      client?.close();
    }
  };
  return {
    [Symbol.asyncIterator]: iterate,
    ack: (seq) => void client?.request("ack", { seq }).catch(() => undefined),
  };
}

function* fromFiles(entry: Entry, afterSeq: number): Generator<LogEvent> {
  const reader = new LogReader(entry.row.dir, { seq: afterSeq, bytes: afterSeq === 0 ? 0 : null });
  try {
    for (let events = reader.next(FILE_BYTES); events.length > 0; events = reader.next(FILE_BYTES)) yield* events;
  } finally {
    reader.close();
  }
}

/** What a host pushed and nobody took yet; the host's window bounds it. */
class EventQueue {
  #events: LogEvent[] = [];
  #ended = false;
  #severed = false;
  #wake: () => void = () => undefined;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.end(), { once: true });
    if (signal.aborted) this.#ended = true;
  }

  /** Nobody wants the rest. */
  get cut(): boolean {
    return this.#severed || this.#signal.aborted;
  }

  sever(): void {
    this.#severed = true;
    this.end();
  }

  push(event: LogEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *events(ended: boolean): AsyncGenerator<LogEvent> {
    if (ended) this.#ended = true;
    for (;;) {
      const batch = this.#events;
      this.#events = [];
      yield* batch;
      if (this.#events.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
