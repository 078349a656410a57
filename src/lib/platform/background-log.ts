import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { EXIT, MulticaError, errorText } from "../core/index.ts";

export interface BackgroundLog {
  /** For the output of a background process. */
  readonly fd: number;
  /** Size before this attempt: what lies behind it is new. */
  readonly offset: number;
  close(): void;
}

/**
 * Opens a file that takes the raw output of a background process: appended to, mode 0600, renamed to `.1` first
 * when it has `rollAtBytes` or more. Throws `log_unwritable` naming the file.
 */
export function openBackgroundLog(path: string, rollAtBytes: number): BackgroundLog {
  try {
    if (fileSize(path) >= rollAtBytes) roll(path);
    const fd = openSync(path, "a", 0o600);
    return { fd, offset: fileSize(path), close: () => closeSync(fd) };
  } catch (error) {
    throw new MulticaError("log_unwritable", `cannot write the log ${path}: ${errorText(error)}`, {
      cause: error,
      exit: EXIT.failed,
      suggestions: ["Make the directory writable, then try again."],
    });
  }
}

/** Size in bytes; 0 for a file that is not there. */
export function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function roll(path: string): void {
  try {
    renameSync(path, `${path}.1`);
  } catch {
    // The old one stays: appending to a big file is better than no start.
  }
}
