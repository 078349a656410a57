import type { Logger } from "../../src/lib/platform/logger.ts";

export interface RecordedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps its lines in memory. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const make = (base: Readonly<Record<string, unknown>>): Logger => {
    const at = (level: RecordedLine["level"]) => (msg: string, fields: Readonly<Record<string, unknown>> = {}): void => void lines.push({ ...base, ...fields, level, msg });
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: (fields) => make({ ...base, ...fields }), close: () => undefined };
  };
  return { logger: make({}), lines };
}
