import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { EXIT, MulticaError, errorText, systemCode } from "../core/index.ts";
import { type Clock, ensureDir, isLoopbackHost, tryFileLock, withTimeout } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { createBus } from "./bus.ts";
import { DEFAULT_LIMITS, DEFAULT_THRESHOLDS, type ServerContext, type Thresholds } from "./context.ts";
import { INTERNAL_HEADERS, createApp } from "./http/app.ts";
import { serverPaths } from "./paths.ts";
import { ensureLocalUser } from "./services/account.ts";
import { sweepFiles } from "./services/attachments/files.ts";
import { startScheduler } from "./services/autopilots/scheduler.ts";
import { startAlarm } from "./services/tasks/alarm.ts";
import { createAudit } from "./services/tasks/audit.ts";
import { startSweeper } from "./services/tasks/sweeper.ts";
import { trackConnections } from "./connections.ts";
import { attachSocket } from "./socket.ts";
import { checkpoint, openStore, sessionSecret } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** How often uploads that belong to nothing any more are looked for. */
const FILE_SWEEP_MS = 3_600_000;

interface StartOptions {
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version?: string;
  readonly thresholds?: Partial<Thresholds>;
  /** See `ServerContext`. */
  readonly skillCatalogue?: string;
  /** For tests of clients: no protection against repeats, they are kept and counted. */
  readonly audit?: boolean;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Stops accepting, lets requests finish (5 s), closes sockets with 1001, checkpoints. Further calls wait for the first. */
  stop(): Promise<void>;
}

/**
 * Opens the store, creates the local user on first start and serves HTTP and WebSocket until `stop`.
 * Throws `server_running` and `port_taken` (both exit 7), `database_open`, `database_newer`, `bad_secret`.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const paths = serverPaths(options.dataDir);
  await ensureDir(options.dataDir, 0o700);
  const lock = tryFileLock(paths.lock);
  if (lock === null) {
    throw new MulticaError("server_running", `a server is already running on ${options.dataDir}`, {
      exit: EXIT.conflict,
      suggestions: ["Run `multica server status` to see it, or `multica server stop` to end it."],
    });
  }
  try {
    const ctx = await openContext(options, await sessionSecret(paths));
    try {
      const stopServing = await serve(ctx, options);
      return running(stopServing, () => {
        try {
          checkpoint(ctx.db);
        } finally {
          ctx.db.close();
          lock.release();
        }
      });
    } catch (error) {
      ctx.db.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openContext(options: StartOptions, jwtSecret: Uint8Array): Promise<ServerContext> {
  const db = await openStore(serverPaths(options.dataDir));
  const ctx: ServerContext = {
    db,
    clock: options.clock,
    logger: options.logger,
    bus: createBus(options.logger),
    thresholds: { ...DEFAULT_THRESHOLDS, ...options.thresholds },
    limits: DEFAULT_LIMITS,
    jwtSecret,
    filesDir: serverPaths(options.dataDir).files,
    local: isLoopbackHost(options.host),
    ...(options.skillCatalogue === undefined ? {} : { skillCatalogue: options.skillCatalogue }),
    version: options.version ?? "0.0.0",
    ...(options.audit === true ? { audit: createAudit(db) } : {}),
  };
  try {
    inTransaction(ctx, ensureLocalUser);
    return ctx;
  } catch (error) {
    db.close();
    throw error;
  }
}

interface Serving {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

async function serve(ctx: ServerContext, options: StartOptions): Promise<Serving> {
  const app = createApp(ctx);
  const http = createAdaptorServer({ fetch: app.fetch }) as Server;
  http.prependListener("request", (request) => {
    for (const name of INTERNAL_HEADERS) delete request.headers[name];
  });
  const connections = trackConnections(http);
  const socket = attachSocket(http, ctx);
  const port = await listen(http, options);
  const sweeper = startSweeper(ctx);
  const stopScheduler = startScheduler(ctx);
  const stopAlarm = startAlarm(ctx);
  const stopFiles = ctx.clock.every(FILE_SWEEP_MS, () => void sweepFiles(ctx));
  const close = async (): Promise<void> => {
    sweeper.stop();
    stopScheduler();
    stopAlarm();
    stopFiles();
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    connections.closeIdle();
    await socket.close();
    try {
      await withTimeout(ctx.clock, ctx.thresholds.shutdownMs, "open requests", closed);
    } catch (error) {
      ctx.logger.warn("requests cut off at shutdown", { error: errorText(error) });
      http.closeAllConnections();
    }
  };
  return { url: serverUrl(options.host, port), port, close };
}

function listen(http: Server, options: StartOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(options, error));
    http.once("error", onError);
    http.listen(options.port, options.host, () => {
      http.off("error", onError);
      http.on("error", (error) => options.logger.error("http server error", { error: errorText(error) }));
      const address = http.address();
      resolve(address !== null && typeof address === "object" ? address.port : options.port);
    });
  });
}

function listenError(options: StartOptions, error: Error): MulticaError {
  if (systemCode(error) === "EADDRINUSE") {
    return new MulticaError("port_taken", `port ${options.port} on ${options.host} is in use by another program`, {
      cause: error,
      exit: EXIT.conflict,
      suggestions: ["Choose another one with --port, or --port 0 for any free one."],
    });
  }
  return new MulticaError("listen_failed", `cannot listen on ${options.host} port ${options.port}: ${errorText(error)}`, { cause: error });
}

/** The URL clients on this machine use. */
function serverUrl(host: string, port: number): string {
  const bare = host.replace(/^\[|\]$/g, "");
  if (bare === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (bare === "::") return `http://[::1]:${port}`;
  return `http://${bare.includes(":") ? `[${bare}]` : bare}:${port}`;
}

function running(serving: Serving, finish: () => void): RunningServer {
  let stopping: Promise<void> | undefined;
  return {
    url: serving.url,
    port: serving.port,
    stop: () => {
      stopping ??= serving.close().finally(finish);
      return stopping;
    },
  };
}

/** What to tell whoever makes the server reachable from elsewhere; null for an address of this machine only. */
export function hostWarning(host: string): string | null {
  if (isLoopbackHost(host)) return null;
  return `the server listens on ${host}: other machines can reach it without encryption; every sign-in needs a token (multica server token create)`;
}
