import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { errorText } from "../core/index.ts";
import { authenticateDaemon, mayEnterWorkspace } from "./auth/authenticate.ts";
import type { BusEvent, ServerContext } from "./context.ts";
import { HttpError, badRequest, notFound } from "./http-error.ts";
import { findRuntime } from "./services/daemon/access.ts";
import { parseCapabilities } from "./services/daemon/claim-call.ts";
import { type Admitted, DaemonConnection } from "./socket-connection.ts";
import { FRAME, NOT_FOUND_TEXT } from "../wire/index.ts";

const PATH = "/api/daemon/ws";

export interface AttachedSocket {
  /** How many daemons are connected now. */
  readonly connections: number;
  /** Refuses new daemons, closes the others with 1001, and resolves when they are gone (at the latest after `shutdownMs`). */
  close(): Promise<void>;
}

/**
 * The daemons' WebSocket on an HTTP server: credential and runtime ids are checked before the upgrade, committed events
 * become frames (server-api.md 10). Every other upgrade is an unknown route.
 */
export function attachSocket(httpServer: Server, ctx: ServerContext): AttachedSocket {
  const wss = new WebSocketServer({ noServer: true, maxPayload: ctx.limits.socketMessageBytes, perMessageDeflate: false });
  const connections = new Set<DaemonConnection>();
  let closing = false;

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    // Without a listener an aborted handshake would end the process.
    stream.on("error", () => stream.destroy());
    try {
      if (closing) throw new HttpError(503, "the server is shutting down");
      const asked = admit(ctx, request);
      wss.handleUpgrade(request, stream, head, (socket) => {
        const connection = new DaemonConnection(ctx, socket, asked);
        connections.add(connection);
        socket.once("close", () => connections.delete(connection));
      });
    } catch (error) {
      refuse(ctx, stream, error);
    }
  };

  httpServer.on("upgrade", onUpgrade);
  const unsubscribe = ctx.bus.subscribe((event) => {
    for (const connection of connections) deliver(ctx, connection, event);
  });

  return {
    get connections() {
      return connections.size;
    },
    close: async () => {
      closing = true;
      unsubscribe();
      await Promise.all([...connections].map((connection) => connection.close(ctx.thresholds.shutdownMs)));
      httpServer.off("upgrade", onUpgrade);
      wss.close();
    },
  };
}

/** Who asks, and for which runtimes. Throws what is answered instead of the upgrade (server-api.md 10.1). */
function admit(ctx: ServerContext, request: IncomingMessage): Admitted {
  const url = new URL(request.url ?? "/", "http://server.invalid");
  if (url.pathname !== PATH) throw new UnknownRoute();
  const principal = authenticateDaemon(ctx, request.headers.authorization);
  const asked = [...url.searchParams.getAll("runtime_ids"), ...url.searchParams.getAll("runtime_id")]
    .flatMap((value) => value.split(","))
    .map((id) => id.trim())
    .filter((id) => id !== "");
  // A daemon without a runtime waits for one, and hears of new profiles meanwhile; a daemon token has no account to watch.
  if (asked.length === 0 && principal.kind === "daemon") throw badRequest("runtime_ids required");
  const ids = asked.map((id) => {
    const runtime = findRuntime(ctx, principal, id);
    if (runtime === undefined) throw notFound("runtime");
    return runtime.id;
  });
  const header = request.headers["x-client-capabilities"];
  return { principal, runtimeIds: new Set(ids), capabilities: parseCapabilities(Array.isArray(header) ? header.join(",") : header) };
}

class UnknownRoute extends Error {}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
};

function refuse(ctx: ServerContext, stream: Duplex, error: unknown): void {
  if (error instanceof UnknownRoute) return answer(stream, 404, "text/plain; charset=utf-8", NOT_FOUND_TEXT);
  const [status, text] = error instanceof HttpError ? [error.status, error.message] : [500, "internal server error"];
  if (status >= 500) ctx.logger.error("socket refused", { status, error: errorText(error) });
  answer(stream, status, "application/json", `${JSON.stringify({ error: text })}\n`);
}

function answer(stream: Duplex, status: number, type: string, body: string): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? "Internal Server Error"}`,
    "Connection: close",
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  stream.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Gives a committed event to the daemons it concerns; a lost hint is made good by their polling (server-api.md 10.5). */
function deliver(ctx: ServerContext, connection: DaemonConnection, event: BusEvent): void {
  switch (event.type) {
    case "task_available":
      if (connection.runtimeIds.has(event.runtimeId)) {
        connection.send({ type: FRAME.taskAvailable, payload: { runtime_id: event.runtimeId, task_id: event.taskId } });
      }
      return;
    case "task_deferred":
      return;
    case "pending_work":
      if (connection.runtimeIds.has(event.runtimeId)) {
        connection.send({ type: FRAME.pendingWork, payload: { runtime_id: event.runtimeId, kind: event.kind } });
      }
      return;
    case "runtime_profiles_changed":
      if (mayEnterWorkspace(ctx, connection.principal, event.workspaceId)) {
        const payload = { workspace_id: event.workspaceId, runtime_profile_id: event.profileId };
        connection.send({ type: FRAME.profilesChanged, payload });
      }
      return;
    case "workspaces_changed":
      if (connection.principal.userId === event.userId) connection.send({ type: FRAME.workspacesChanged, payload: {} });
      return;
  }
}
