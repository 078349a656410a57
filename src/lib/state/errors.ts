import { EXIT, MulticaError, errorText } from "../core/index.ts";
import { isBusy, sqliteCode } from "../platform/index.ts";

const CODES: Readonly<Record<number, { code: string; next: string }>> = {
  8: { code: "state_readonly", next: "Make the state directory writable." },
  10: { code: "state_io", next: "Check the disk that holds the state directory." },
  11: { code: "state_corrupt", next: "Move the file away; the daemon makes a new one." },
  13: { code: "state_full", next: "Free some disk space." },
  14: { code: "state_unopenable", next: "Check the permissions of the state directory." },
  26: { code: "state_corrupt", next: "Move the file away; the daemon makes a new one." },
};

/**
 * The error of a database call as one of ours: `state_busy`, `state_full`, `state_corrupt`, `state_readonly`, `state_io`,
 * `state_unopenable` or `state_failed`; our own errors pass through (state-db.md 14.1, 23).
 */
export function asStateError(error: unknown, path: string): MulticaError {
  if (error instanceof MulticaError && sqliteCode(error.cause) === undefined) return error;
  const origin = error instanceof MulticaError ? error.cause : error;
  if (isBusy(origin)) {
    return new MulticaError("state_busy", `the state database is in use: ${path}`, { cause: error, exit: EXIT.conflict, retry: "later" });
  }
  const known = CODES[sqliteCode(origin) ?? -1];
  return new MulticaError(known?.code ?? "state_failed", `state database ${path}: ${errorText(origin)}`, {
    cause: error,
    suggestions: known === undefined ? [] : [known.next],
  });
}
