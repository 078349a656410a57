import { WebSocket } from "ws";
import type { Clock } from "../platform/index.ts";
import { type Frame, SOCKET_LIMITS, frameSchema } from "../wire/index.ts";
import { type HttpOptions, requestHeaders } from "./http.ts";

export interface SocketOptions {
  readonly http: HttpOptions;
  readonly runtimeIds: readonly string[];
  readonly clock: Clock;
  readonly onOpen: () => void;
  readonly onFrame: (frame: Frame) => void;
  /** Called exactly once when the connection ended or never came up; `error` names why, if known. */
  readonly onClose: (facts: { readonly opened: boolean; readonly error?: Error }) => void;
}

export interface DaemonSocket {
  /** Sends one frame; false when the connection is not open or its queue is full (a lost heartbeat is harmless). */
  send(frame: Frame): boolean;
  close(): void;
}

const MAX_BUFFERED = 1 << 20;

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
    options.onClose({ opened, ...(failure === undefined ? {} : { error: failure }) });
  });
  return {
    send: (frame) => {
      if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > MAX_BUFFERED) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    close: () => {
      stopReadTimer();
      if (socket.readyState === WebSocket.OPEN) socket.close(1000);
      // A peer that does not answer the close must not hold the process.
      const cancel = options.clock.setTimer(1000, () => socket.terminate());
      socket.once("close", cancel);
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
    },
  };
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
