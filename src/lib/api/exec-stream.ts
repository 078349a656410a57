import { WebSocket } from "ws";
import { EXIT, MulticaError, randomHex } from "../core/index.ts";
import { type ExecFrame, type ExecFrameError, decodeExecFrame } from "../wire/index.ts";
import type { ProcessName } from "./exec-port.ts";

/** One process as it goes on: its records, and the way back to it. */
export interface ExecStream {
  /** Ends with the process (`live`), or with the log as it is now. Throws `stream_lost` when the daemon went away. */
  readonly frames: AsyncIterable<ExecFrame | ExecFrameError>;
  /** Opens the window again: everything up to here has been shown. */
  ack(seq: number): void;
  input(data: Buffer): void;
  resize(cols: number, rows: number): void;
  close(): void;
}

export interface StreamOptions {
  readonly port: number;
  readonly token: string;
  readonly name: ProcessName;
  readonly afterSeq: number;
  readonly live: boolean;
  readonly signal?: AbortSignal;
}

const NORMAL = 1000;
const OPEN_MS = 10_000;

/** Opens `GET /exec/{thread}/{process}/stream` (exec-sessions.md 18.2). Rejects with `stream_refused`. */
export async function openExecStream(options: StreamOptions): Promise<ExecStream> {
  const { port, token, name, afterSeq, live, signal } = options;
  const path = `/exec/${encodeURIComponent(name.thread_id)}/${encodeURIComponent(name.process_id)}/stream?after_seq=${afterSeq}&follow=${String(live)}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, "multica-exec.v1", { headers: { authorization: `Bearer ${token}` }, handshakeTimeout: OPEN_MS, perMessageDeflate: false });
  const inbox = new Inbox();
  socket.on("message", (data, binary) => {
    const frame = decodeExecFrame(data as Buffer, binary);
    if (frame !== undefined) inbox.push(frame);
  });
  socket.on("close", (code) => inbox.end(code === NORMAL || signal?.aborted === true ? undefined : new MulticaError("stream_lost", "the daemon ended the stream", { exit: EXIT.unreachable })));
  await opened(socket);
  signal?.addEventListener("abort", () => socket.close(NORMAL), { once: true });
  if (signal?.aborted === true) socket.close(NORMAL);
  const send = (message: unknown): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  return {
    frames: inbox,
    ack: (seq) => send({ ack: seq }),
    input: (data) => send({ input: data.toString("base64"), write_id: randomHex(8) }),
    resize: (cols, rows) => send({ resize: [cols, rows] }),
    close: () => socket.close(NORMAL),
  };
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (text: string, status: number | undefined): void => {
      const exit = status === undefined ? EXIT.unreachable : status === 404 ? EXIT.notFound : status === 401 || status === 403 ? EXIT.notSignedIn : EXIT.conflict;
      reject(new MulticaError("stream_refused", text, { exit }));
    };
    socket.once("open", resolve);
    socket.once("unexpected-response", (_request, response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      response.on("end", () => refused(text.trim() || `the daemon answered with status ${response.statusCode ?? 0}`, response.statusCode));
    });
    socket.on("error", (error) => refused(error.message, undefined));
  });
}

/** Frames in order for one reader. */
class Inbox implements AsyncIterable<ExecFrame | ExecFrameError> {
  #frames: (ExecFrame | ExecFrameError)[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | null = null;

  push(frame: ExecFrame | ExecFrameError): void {
    this.#frames.push(frame);
    this.#wake?.();
  }

  end(failure: Error | undefined): void {
    this.#ended = true;
    this.#failure = failure;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ExecFrame | ExecFrameError> {
    for (;;) {
      const batch = this.#frames;
      this.#frames = [];
      yield* batch;
      if (this.#frames.length > 0) continue;
      if (this.#ended) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}
