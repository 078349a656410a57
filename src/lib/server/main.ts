import { errorText } from "../core/index.ts";
import { type Clock, ensureDir } from "../platform/index.ts";
import { type Logger, createLogger } from "../platform/logger.ts";
import { type ServerInfo, removeServerInfo, writeServerInfo } from "./info.ts";
import { serverPaths } from "./paths.ts";
import { hostWarning, startServer } from "./start.ts";

export interface RunOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly version: string;
  readonly skillCatalogue?: string;
  /** For tests of clients: see `startServer`. */
  readonly audit?: boolean;
  /** Called once the server answers: what a foreground start prints. */
  readonly onReady?: (info: ServerInfo, warning: string | null) => void;
}

/**
 * The server as a process of its own: log, `server.json`, signals. Resolves with the exit code after SIGTERM or SIGINT.
 * Throws what keeps it from starting (`log_unwritable`, `port_taken`, `server_running`, …): the command prints it.
 */
export async function runServer(options: RunOptions): Promise<number> {
  const paths = serverPaths(options.dataDir);
  await ensureDir(options.dataDir, 0o700);
  const logger = createLogger({ file: paths.log, base: { component: "server" } });
  const signals = catchSignals(logger);
  try {
    const server = await startServer({ ...options, logger });
    const info = await writeServerInfo(paths, { url: server.url, port: server.port, nowMs: options.clock.now() });
    logger.info("server started", { pid: info.pid, url: info.url });
    const warning = hostWarning(options.host);
    if (warning !== null) logger.warn(warning);
    options.onReady?.(info, warning);
    const signal = await signals.first;
    logger.info("server stopping", { signal });
    // First the address, so that nobody is sent to a server that no longer accepts.
    await removeServerInfo(paths);
    await server.stop();
    logger.info("server stopped", { pid: info.pid });
    return 0;
  } catch (error) {
    logger.error("server failed", { error: errorText(error) });
    throw error;
  } finally {
    signals.release();
    logger.close();
  }
}

/** The first SIGTERM or SIGINT; further ones are ignored, because the shutdown has its own deadline. */
function catchSignals(logger: Logger): { first: Promise<NodeJS.Signals>; release: () => void } {
  let resolveFirst: (signal: NodeJS.Signals) => void = () => undefined;
  const first = new Promise<NodeJS.Signals>((resolve) => {
    resolveFirst = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => resolveFirst(signal);
  // The process still ends as Node sees fit; the log is where people look for the reason.
  const onCrash = (error: Error): void => logger.error("server crashed", { error: errorText(error), stack: error.stack });
  const onRejection = (reason: unknown): void => logger.error("unhandled rejection", { error: errorText(reason) });
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("uncaughtExceptionMonitor", onCrash);
  process.on("unhandledRejection", onRejection);
  return {
    first,
    release: () => {
      process.off("SIGTERM", onSignal);
      process.off("SIGINT", onSignal);
      process.off("uncaughtExceptionMonitor", onCrash);
      process.off("unhandledRejection", onRejection);
    },
  };
}
