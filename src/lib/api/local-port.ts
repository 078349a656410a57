import { EXIT, MulticaError, asNumber, asString, isObject, parseJson } from "../core/index.ts";
import type { CheckoutRequest, CheckoutResponse, Health } from "../wire/index.ts";
import { RequestError } from "./errors.ts";
import { type Exchange, exchange } from "./exchange.ts";

export interface LocalPortOptions {
  readonly port: number;
  /** Operator token or task token; not needed for `health`. */
  readonly token?: string;
}

/** What becomes of processes under exec hosts when the daemon ends (exec-sessions.md 20.3). */
export type ExecEndingWish = "keep" | "terminate" | "restart";

const CHECKOUT_LIMIT_MS = 15 * 60_000;

/** Calls to a daemon on this machine (daemon.md 13): plain HTTP to 127.0.0.1, no proxy, no library. */
export function createLocalPortClient(options: LocalPortOptions) {
  const call = async (method: "GET" | "POST", path: string, body: unknown, timeoutMs: number, signal?: AbortSignal, onLine?: (line: string) => void) => {
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      return await exchange(`http://127.0.0.1:${options.port}${path}`, {
        method,
        headers: {
          ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          // An older daemon does not know it, and answers once, at the end.
          ...(onLine === undefined ? {} : { "X-Multica-Progress": "1" }),
        },
        onLine,
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new MulticaError("daemon_unreachable", `no daemon answers on 127.0.0.1:${options.port}`, {
        cause: error,
        exit: EXIT.unreachable,
        retry: "later",
        suggestions: ["Start it with `multica daemon start`, or look at `multica daemon status`."],
      });
    }
  };
  return {
    /** What the daemon says of itself, or null when none answers or something else listens there. `queue`: with what waits at the server now. */
    health: async (timeoutMs = 2000, options: { readonly queue?: boolean } = {}): Promise<Health | null> => {
      try {
        const answer = await call("GET", options.queue === true ? "/health?queue=now" : "/health", undefined, timeoutMs);
        const body: unknown = JSON.parse(answer.text);
        return answer.status === 200 && isHealth(body) ? body : null;
      } catch {
        return null;
      }
    },
    /** Asks the daemon to stop. Null when it refused, else how many processes under exec hosts run on. */
    shutdown: async (exec: ExecEndingWish): Promise<number | null> => {
      const answer = await call("POST", "/shutdown", { exec }, 2000);
      if (answer.status !== 200) return null;
      const body = parseJson(answer.text);
      return isObject(body) ? (asNumber(body["exec_staying"]) ?? 0) : 0;
    },
    /**
     * Checks a repository out into the task's workdir. Rejects with `repo_busy` (details.retryAfterMs) when the daemon says
     * that another operation holds the repository, else with `RequestError` and the daemon's one-line reason.
     */
    repoCheckout: async (body: CheckoutRequest, signal?: AbortSignal, onProgress?: (progress: CheckoutProgress) => void): Promise<CheckoutResponse> => {
      const reader = progressReader(onProgress);
      const plainAnswer = await call("POST", "/repo/checkout", body, CHECKOUT_LIMIT_MS, signal, reader.onLine);
      const answer = reader.answer() ?? plainAnswer;
      if (answer.status === 503 && answer.headers.get("X-Multica-Retryable") === "repo-busy") {
        throw new MulticaError("repo_busy", answer.text.trim(), {
          retry: "later",
          details: { retryAfterMs: retryAfterMs(answer.headers.get("Retry-After")) },
        });
      }
      if (answer.status !== 200) throw new RequestError("POST", "/repo/checkout", answer.status, answer.text);
      return JSON.parse(answer.text) as CheckoutResponse;
    },
  };
}

/** How a first clone goes on: git's own word for the stage, and how much of it is done. */
export interface CheckoutProgress {
  readonly stage: string;
  readonly percent: number;
}

interface LineReader {
  readonly onLine: ((line: string) => void) | undefined;
  /** What the last line of a stream said; undefined when there was no stream. */
  answer(): Exchange | undefined;
}

/** Reads a stream of `{"progress":…}` lines that ends with one `{"answer":{status,headers,text}}`. */
function progressReader(onProgress: ((progress: CheckoutProgress) => void) | undefined): LineReader {
  let last: Exchange | undefined;
  if (onProgress === undefined) return { onLine: undefined, answer: () => undefined };
  return {
    onLine: (line) => {
      const value = parseJson(line);
      if (!isObject(value)) return;
      const { progress, answer } = value;
      if (isObject(progress)) onProgress({ stage: asString(progress["stage"]), percent: asNumber(progress["percent"]) ?? 0 });
      if (isObject(answer)) last = exchangeOf(answer);
    },
    answer: () => last,
  };
}

function exchangeOf(answer: Readonly<Record<string, unknown>>): Exchange {
  const headers = isObject(answer["headers"]) ? answer["headers"] : {};
  return {
    status: asNumber(answer["status"]) ?? 0,
    text: asString(answer["text"]),
    headers: { get: (name) => (typeof headers[name.toLowerCase()] === "string" ? asString(headers[name.toLowerCase()]) : null) },
  };
}

/** `Retry-After` in milliseconds: seconds or a date, between 0 and 30 s; missing or senseless is one second (repocache.md 14). */
function retryAfterMs(header: string | null): number {
  const text = header?.trim() ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - new Date().getTime()) / 1000;
  return Number.isFinite(seconds) ? Math.min(30, Math.max(0, seconds)) * 1000 : 1000;
}

function isHealth(value: unknown): value is Health {
  return typeof value === "object" && value !== null && "status" in value && "pid" in value;
}
