import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { EXIT, type JsonValue, MulticaError, errorText, redactSecrets, redactValue } from "../core/index.ts";
import { LogFile } from "./log-file.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

/** Events with fields, one JSON line each (decision 22). Secrets are redacted before anything is written. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
  /** Closes the file; later lines are dropped. */
  close(): void;
}

export interface LoggerOptions {
  /** File to append to (0600); without it lines go to stderr. */
  readonly file?: string;
  readonly level?: LogLevel;
  /** Fields of every line, such as `component`. */
  readonly base?: LogFields;
  /** When the file turns over, and which archives are kept: 20 MiB, five, 30 days unless given. */
  readonly maxBytes?: number;
  readonly keep?: number;
  readonly maxAgeMs?: number;
}

/** A logger on a file or on stderr. Throws `log_unwritable` when the file cannot take its first line. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const sink = options.file === undefined ? null : openSink(options.file, options);
  const destination: DestinationStream = sink ?? { write: (line) => void process.stderr.write(line) };
  const root = pino(
    {
      level: options.level ?? "info",
      base: options.base === undefined ? {} : clean(options.base),
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "msg",
    },
    destination,
  );
  return wrap(root, () => sink?.close());
}

function openSink(path: string, options: LoggerOptions): LogFile {
  try {
    const sink = new LogFile(path, { maxBytes: options.maxBytes ?? 20 << 20, keep: options.keep ?? 5, maxAgeMs: options.maxAgeMs ?? 30 * 86_400_000 });
    sink.probe(`${JSON.stringify({ level: "debug", time: new Date().toISOString(), ...clean(options.base), msg: "log opened" })}\n`);
    return sink;
  } catch (error) {
    throw new MulticaError("log_unwritable", `cannot write the log ${path}: ${errorText(error)}`, {
      cause: error,
      exit: EXIT.failed,
      suggestions: ["Free some space or make the directory writable, then try again."],
    });
  }
}

function wrap(target: PinoLogger, close: () => void): Logger {
  return {
    debug: (message, fields) => target.debug(clean(fields), redactSecrets(message)),
    info: (message, fields) => target.info(clean(fields), redactSecrets(message)),
    warn: (message, fields) => target.warn(clean(fields), redactSecrets(message)),
    error: (message, fields) => target.error(clean(fields), redactSecrets(message)),
    child: (fields) => wrap(target.child(clean(fields)), close),
    close,
  };
}

function clean(fields: LogFields = {}): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (value instanceof Error) result[key] = redactSecrets(errorText(value));
    else result[key] = redactValue(value as JsonValue, redactSecrets);
  }
  return result;
}

/** A logger that writes nothing: for callers that have none. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
  close: () => undefined,
};
