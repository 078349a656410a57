import type { DaemonConfig } from "../config/index.ts";
import { type Env, currentPid } from "../platform/index.ts";
import { type Logger, createLogger } from "../platform/logger.ts";
import { daemonPaths } from "./files.ts";

export interface LogChoice {
  readonly config: DaemonConfig;
  readonly env: Readonly<Env>;
  readonly logToStderr?: boolean;
}

/** The daemon's log: the rotating file of its state directory, or stderr. Throws `log_unwritable` for a file that takes no line. */
export function openLog(options: LogChoice): Logger {
  const { config } = options;
  const base = { component: "daemon", pid: currentPid() };
  if (options.logToStderr === true) return createLogger({ level: config.logLevel, base });
  const maxBytes = positive(options.env["MULTICA_DAEMON_LOG_MAX_SIZE_MB"], 20) << 20;
  const keep = positive(options.env["MULTICA_DAEMON_LOG_MAX_BACKUPS"], 5);
  const maxAgeMs = positive(options.env["MULTICA_DAEMON_LOG_MAX_AGE_DAYS"], 30) * 86_400_000;
  return createLogger({ file: daemonPaths(config.stateDir).log, level: config.logLevel, base, maxBytes, keep, maxAgeMs });
}

/** A whole positive number, else the default: zero must never mean "unlimited" (daemon.md 2.5). */
function positive(text: string | undefined, fallback: number): number {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isInteger(value) && value > 0 ? Math.min(value, 1000) : fallback;
}
