import { RequestError, isTaskNotFound } from "../../api/index.ts";
import { isMulticaError, jittered } from "../../core/index.ts";
import type { ReportKind } from "../../state/index.ts";

/** What came of one attempt to deliver a report. */
export type Verdict =
  /** `state` is the task's status in the answer to a terminal report. */
  | { readonly kind: "done"; readonly state?: string }
  /** Part of a batch was taken; `rest` is what is left of it. */
  | { readonly kind: "part"; readonly rest: string; readonly restFrom: number }
  | { readonly kind: "retry"; readonly error: unknown; readonly status: number | null; readonly ambiguous: boolean; readonly unreachable: boolean; readonly afterMs: number | null }
  | { readonly kind: "unauthorised" }
  /** The task was deleted. */
  | { readonly kind: "gone" }
  | { readonly kind: "too_large"; readonly error: unknown }
  /** The server will never take it. */
  | { readonly kind: "refused"; readonly status: number; readonly error: unknown };

/** Codes of failures in which the request cannot have reached the server. */
const NOT_SENT = new Set(["network_refused", "network_dns"]);

/** The rules of state-db.md 17.1 (4 to 7) for a failed call. */
export function verdictOf(kind: ReportKind, error: unknown): Verdict {
  if (!(error instanceof RequestError)) {
    const notSent = isMulticaError(error) && NOT_SENT.has(error.code);
    return { kind: "retry", error, status: null, ambiguous: !notSent, unreachable: isAway(error), afterMs: null };
  }
  const { status } = error;
  if (status === 401) return { kind: "unauthorised" };
  if (isTaskNotFound(error)) return { kind: "gone" };
  // Every server has these routes: a 404 without word of the task comes from something in front of it.
  const passing = status === 408 || status === 429 || (status === 404 && (kind === "messages" || kind === "complete" || kind === "fail"));
  if (passing || status >= 500) return { kind: "retry", error, status, ambiguous: status >= 500, unreachable: false, afterMs: error.retryAfterMs };
  if (status === 413 && kind === "messages") return { kind: "too_large", error };
  return { kind: "refused", status, error };
}

const AWAY = new Set(["network_refused", "network_dns", "network_tls", "network_offline"]);

/** Nobody was there. Not so when an answer only came too late, or made no sense. */
export function isAway(error: unknown): boolean {
  return isMulticaError(error) && AWAY.has(error.code);
}

const TERMINAL_WAITS_MS = [4000, 8000, 16_000, 32_000, 64_000];
const LONGEST_WAIT_MS = 60_000;
const LONGEST_ASKED_MS = 15 * 60_000;

/** The pause after attempt number `attempts` (1 = the first): state-db.md 17.1.5. A server's Retry-After is honoured. */
export function retryWait(kind: ReportKind, attempts: number, afterMs: number | null, random?: () => number): number {
  const terminal = kind === "complete" || kind === "fail";
  const plain = terminal ? (TERMINAL_WAITS_MS[attempts - 1] ?? LONGEST_WAIT_MS) : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** Math.min(attempts - 1, 16));
  const wait = jittered(plain, 0.2, random);
  return afterMs === null ? wait : Math.max(wait, Math.min(afterMs, LONGEST_ASKED_MS));
}
