import type { RawData, WebSocket } from "ws";
import { asNumber, asString, errorText, isMulticaError, isObject, parseJson } from "../../../core/index.ts";
import { type ExecRecord, type ExecService, type LogEvent, LogReader } from "../../../exec/index.ts";
import type { Clock } from "../../../platform/index.ts";
import type { Logger } from "../../../platform/logger.ts";
import { encodeExecFrame } from "../../../wire/index.ts";

/** Somebody who was let in to look at one process. */
export interface Viewer {
  readonly exec: ExecService;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly record: ExecRecord;
  readonly afterSeq: number;
  /** False: what is in the log now, then the end. */
  readonly live: boolean;
  /** Let in by a task's token: a detach shows it out. */
  readonly ofTask: boolean;
  /** Aborted when nobody of this kind may look any more. */
  readonly until: AbortSignal;
}

const READ_BYTES = 256 * 1024;
const NORMAL = 1000;
const GOING_AWAY = 1001;
const INTERNAL = 1011;
const FAREWELL_MS = 1000;

/** Sends the log from a position on, and takes input, sizes and acknowledgements, until the process, the viewer or the daemon ends. */
export async function serveViewer(socket: WebSocket, viewer: Viewer): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  socket.on("error", end);
  socket.once("close", end);
  viewer.until.addEventListener("abort", end, { once: true });
  if (viewer.until.aborted) end();
  try {
    if (viewer.live) await follow(socket, viewer, over.signal);
    else await recorded(socket, viewer, over.signal);
    socket.close(over.signal.aborted ? GOING_AWAY : NORMAL);
  } catch (error) {
    if (!over.signal.aborted) viewer.logger.warn("a view of a process ended", { process: viewer.record.process_id, error: errorText(error) });
    socket.close(over.signal.aborted ? GOING_AWAY : INTERNAL, "the log cannot be read on");
  } finally {
    viewer.until.removeEventListener("abort", end);
    // Somebody who does not answer the farewell must not hold up the end of the daemon.
    const cancel = viewer.clock.setTimer(FAREWELL_MS, () => socket.terminate());
    socket.once("close", cancel);
  }
}

async function follow(socket: WebSocket, viewer: Viewer, signal: AbortSignal): Promise<void> {
  const { exec, record, afterSeq } = viewer;
  // One at a time: keys must arrive in the order in which they were pressed, also those that came before the log.
  const opening = exec.follow(record.thread_id, record.process_id, { afterSeq, signal, sessionBound: viewer.ofTask });
  let tail: Promise<unknown> = opening.catch(() => undefined);
  socket.on("message", (data: RawData) => {
    const message = parseJson(textOf(data));
    if (!isObject(message)) return;
    const ack = asNumber(message["ack"]);
    if (ack === undefined) tail = tail.then(() => act(socket, viewer, message));
    else void opening.then((stream) => stream.ack(ack)).catch(() => undefined);
  });
  const stream = await opening;
  for await (const event of stream) await send(socket, event);
}

async function recorded(socket: WebSocket, { record, afterSeq }: Viewer, signal: AbortSignal): Promise<void> {
  const reader = new LogReader(record.dir, { seq: afterSeq, bytes: null });
  try {
    for (let events = reader.next(READ_BYTES); events.length > 0 && !signal.aborted; events = reader.next(READ_BYTES)) {
      for (const event of events) await send(socket, event);
    }
  } finally {
    reader.close();
  }
}

/** Resolves when the frame has left: a slow viewer holds up its own stream only. */
function send(socket: WebSocket, event: LogEvent): Promise<void> {
  const frame = encodeExecFrame(event);
  return new Promise((resolve) => socket.send(frame, () => resolve()));
}

async function act(socket: WebSocket, { exec, record }: Viewer, message: Readonly<Record<string, unknown>>): Promise<void> {
  const { thread_id: threadId, process_id: processId } = record;
  try {
    const { resize, input } = message;
    if (Array.isArray(resize)) {
      const [cols, rows] = resize.map((value: unknown) => asNumber(value) ?? 0);
      if (inRange(cols) && inRange(rows)) await exec.resize(threadId, processId, { cols, rows });
    } else if (typeof input === "string") {
      const status = await exec.write(threadId, processId, { data: Buffer.from(input, "base64"), writeId: asString(message["write_id"]) });
      if (status !== "accepted" && status !== "duplicate") socket.send(JSON.stringify({ ev: "error", code: status, message: `input not taken: ${status}` }));
    }
  } catch (error) {
    socket.send(JSON.stringify({ ev: "error", code: isMulticaError(error) ? error.code : "internal", message: errorText(error) }));
  }
}

function inRange(size: number | undefined): size is number {
  return size !== undefined && Number.isInteger(size) && size >= 1 && size <= 1000;
}

function textOf(data: RawData): string {
  const parts = Array.isArray(data) ? data : [data instanceof ArrayBuffer ? Buffer.from(data) : data];
  return Buffer.concat(parts).toString("utf8");
}
