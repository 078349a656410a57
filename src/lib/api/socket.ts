import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { WebSocket } from "ws";
import type { Clock, Env } from "../platform/index.ts";
import { type Frame, SOCKET_LIMITS, frameSchema } from "../wire/index.ts";
import { FrameQueue, type PostedFrame } from "./frame-queue.ts";
import { type HttpOptions, requestHeaders } from "./http.ts";

export interface SocketOptions {
  readonly http: HttpOptions;
  readonly runtimeIds: readonly string[];
  readonly clock: Clock;
  /** Proxies are taken from here, as everybody names them: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. */
  readonly env?: Readonly<Env>;
  readonly onOpen: () => void;
  readonly onFrame: (frame: Frame) => void;
  /** Called exactly once when the connection ended or never came up; `error` names why, if known. */
  readonly onClose: (facts: { readonly opened: boolean; readonly error?: Error }) => void;
}

export interface DaemonSocket {
  /** Accepts one frame; null when the connection is not open or its queue is full (a lost heartbeat is harmless). */
  post(frame: Frame): PostedFrame | null;
  close(): void;
}

const LEAST_QUEUE = 16;

/**
 * One connection of the daemon's socket (server-api.md 10.1–10.3): no reconnect, no protocol, just frames and liveness.
 * It closes itself when nothing at all, pings included, has come for 60 s: a half-open connection looks alive otherwise.
 */
export function connectDaemonSocket(options: SocketOptions): DaemonSocket {
  const socket = new WebSocket(socketUrl(options.http.serverUrl, options.runtimeIds), {
    headers: requestHeaders(options.http),
    handshakeTimeout: SOCKET_LIMITS.handshakeMs,
    maxPayload: SOCKET_LIMITS.clientMaxBytes,
    perMessageDeflate: false,
    followRedirects: false,
    ...proxied(options),
  });
  const queue = new FrameQueue({
    clock: options.clock,
    capacity: Math.max(LEAST_QUEUE, 2 * options.runtimeIds.length),
    writeMs: SOCKET_LIMITS.writeMs,
    write: (data, done) => socket.send(data, done),
    onStuck: () => socket.terminate(),
  });
  let opened = false;
  let failure: Error | undefined;
  let stopReadTimer = (): void => undefined;
  const heard = (): void => {
    stopReadTimer();
    stopReadTimer = options.clock.setTimer(SOCKET_LIMITS.readMs, () => socket.terminate());
  };
  socket.on("open", () => {
    opened = true;
    heard();
    options.onOpen();
  });
  socket.on("ping", heard);
  socket.on("pong", heard);
  socket.on("message", (data, isBinary) => {
    heard();
    const frame = isBinary ? undefined : parseFrame(String(data));
    if (frame !== undefined) options.onFrame(frame);
  });
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", () => {
    stopReadTimer();
    queue.close();
    options.onClose({ opened, ...(failure === undefined ? {} : { error: failure }) });
  });
  return {
    post: (frame) => (socket.readyState === WebSocket.OPEN ? queue.post(JSON.stringify(frame)) : null),
    close: () => {
      stopReadTimer();
      queue.close();
      if (socket.readyState === WebSocket.OPEN) socket.close(1000);
      // A peer that does not answer the close must not hold the process.
      const cancel = options.clock.setTimer(1000, () => socket.terminate());
      socket.once("close", cancel);
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
    },
  };
}

/** An agent that goes through the environment's proxy, where one is named; this library asks for one explicitly. */
function proxied({ env, http }: SocketOptions): { agent?: HttpAgent } {
  const named = Object.keys(env ?? {}).some((name) => /^https?_proxy$/i.test(name));
  if (env === undefined || !named) return {};
  const proxyEnv = { ...env };
  return { agent: http.serverUrl.startsWith("https:") ? new HttpsAgent({ proxyEnv }) : new HttpAgent({ proxyEnv }) };
}

function socketUrl(serverUrl: string, runtimeIds: readonly string[]): string {
  const url = new URL(`${serverUrl}/api/daemon/ws`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("runtime_ids", [...runtimeIds].sort().join(","));
  return url.toString();
}

function parseFrame(text: string): Frame | undefined {
  try {
    const result = frameSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
