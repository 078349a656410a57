import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { createServer } from "node:http";
import { EXIT, MulticaError, systemCode } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";

/** Answers one request; `env` holds Node's own request and response. */
export type LocalHandler = (request: Request, env: unknown) => Response | Promise<Response>;
export type UpgradeHandler = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

export interface LocalListener {
  readonly port: number;
  /** Answers requests from here on; before, the port is only held. */
  serve(fetch: LocalHandler): void;
  /** Who takes connections that ask for another protocol; without one they are refused. */
  upgrade(handler: UpgradeHandler): void;
  /** Stops listening at once; responses under way are finished. Resolves when the last connection is closed. */
  close(clock: Clock): Promise<void>;
}

/**
 * Binds 127.0.0.1 (daemon.md 2.1): the first guard against a second daemon, taken before any file is touched.
 * Port 0 means any free one. Throws `port_taken` (exit 7) when somebody listens there already.
 */
export async function bindLocalPort(port: number, receiveMs: number): Promise<LocalListener> {
  let handler: LocalHandler | undefined;
  const listener = getRequestListener((request, env) => handler?.(request, env) ?? new Response("starting\n", { status: 503 }));
  const server = createServer({ headersTimeout: receiveMs, requestTimeout: receiveMs, connectionsCheckingInterval: 1000 }, (request, response) => {
    void listener(request, response);
  });
  await listen(server, port);
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : port,
    serve: (fetch) => {
      handler = fetch;
    },
    upgrade: (onUpgrade) => void server.on("upgrade", onUpgrade),
    close: (clock) => closeServer(server, clock),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(bindError(error, port)));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, resolve);
  });
}

function bindError(error: Error, port: number): MulticaError {
  const address = `127.0.0.1:${port}`;
  if (systemCode(error) === "EADDRINUSE") {
    return new MulticaError("port_taken", `cannot listen on ${address}: another daemon or program is already running there (EADDRINUSE)`, {
      cause: error,
      exit: EXIT.conflict,
      suggestions: ["Look at `multica daemon status`, or choose a port with --port (0 takes any free one)."],
    });
  }
  return new MulticaError("bind_failed", `cannot listen on ${address}`, { cause: error, exit: EXIT.failed });
}

const FLUSH_MS = 1000;

/** Idle keep-alive connections would hold the close for minutes: they are dropped, busy ones get a moment to finish. */
function closeServer(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(FLUSH_MS, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
