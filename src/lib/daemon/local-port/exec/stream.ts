import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { errorText, isMulticaError } from "../../../core/index.ts";
import { taskThread } from "../../exec/threads.ts";
import { type AccessParts, enter } from "../access.ts";
import type { UpgradeHandler } from "../listen.ts";
import type { ExecPort } from "./access.ts";
import { type Viewer, serveViewer } from "./viewer.ts";

/** Subprotocol of exec-sessions.md 18.2. */
const PROTOCOL = "multica-exec.v1";
const MESSAGE_BYTES = 256 * 1024;
const PATH = /^\/exec\/([^/]+)\/([^/]+)\/stream$/;

export interface StreamParts extends AccessParts {
  readonly execPort: () => ExecPort;
  /** Ends all streams: the daemon shuts down. */
  readonly signal: AbortSignal;
}

/** Why an upgrade is refused. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** `GET /exec/{thread}/{process}/stream` (exec-sessions.md 18.2): the same doors as everywhere, then a WebSocket. */
export function execStreams(parts: StreamParts): UpgradeHandler {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  return (request, stream, head) => {
    // Without a listener an aborted handshake would end the process.
    stream.on("error", () => stream.destroy());
    admit(request, parts).then(
      (viewer) => wss.handleUpgrade(request, stream, head, (socket) => void serveViewer(socket, viewer)),
      (error: unknown) => refuse(stream, error),
    );
  };
}

async function admit(request: IncomingMessage, parts: StreamParts): Promise<Viewer> {
  const { origin, host, authorization } = request.headers;
  const entered = enter({ origin, host, authorization }, parts);
  if (typeof entered === "string") throw new Refused(403, entered);
  const url = new URL(request.url ?? "/", "http://localhost");
  const path = PATH.exec(url.pathname);
  if (path === null) throw new Refused(404, "not found");
  if (entered.kind === "none") throw new Refused(401, "token required");
  const { exec, logger, clock } = parts.execPort();
  if (exec === null || parts.signal.aborted) throw new Refused(503, "the daemon is starting or stopping");
  const [threadId, processId] = [decode(path[1]), decode(path[2])];
  const own = entered.kind === "task" ? taskThread(entered.credential) : null;
  if (own !== null && own !== threadId) throw new Refused(404, "no such process");
  const record = await exec.find(threadId, processId);
  const after = Number(url.searchParams.get("after_seq") ?? 0);
  if (!Number.isInteger(after) || after < 0) throw new Refused(400, "after_seq must be a number");
  const until = entered.kind === "task" ? AbortSignal.any([parts.signal, parts.credentials.until(entered.credential)]) : parts.signal;
  return { exec, logger, clock, record, ofTask: own !== null, afterSeq: after, live: url.searchParams.get("follow") !== "false", until };
}

function decode(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    throw new Refused(404, "not found");
  }
}

function refuse(stream: Duplex, error: unknown): void {
  const known = isMulticaError(error, "process_not_found") ? 404 : isMulticaError(error, "too_many_viewers") ? 429 : 500;
  const status = error instanceof Refused ? error.status : known;
  const text = `${errorText(error)}\n`;
  stream.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
