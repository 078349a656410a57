import { EXIT, MulticaError } from "../core/index.ts";
import type { CheckoutRequest, CheckoutResponse, Health } from "../wire/index.ts";
import { RequestError } from "./errors.ts";
import { exchange } from "./exchange.ts";

export interface LocalPortOptions {
  readonly port: number;
  /** Operator token or task token; not needed for `health`. */
  readonly token?: string;
}

const CHECKOUT_LIMIT_MS = 15 * 60_000;

/** Calls to a daemon on this machine (daemon.md 13): plain HTTP to 127.0.0.1, no proxy, no library. */
export function createLocalPortClient(options: LocalPortOptions) {
  const call = async (method: "GET" | "POST", path: string, body: unknown, timeoutMs: number, signal?: AbortSignal) => {
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      return await exchange(`http://127.0.0.1:${options.port}${path}`, {
        method,
        headers: {
          ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
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
    /** What the daemon says of itself, or null when none answers or something else listens there. */
    health: async (timeoutMs = 2000): Promise<Health | null> => {
      try {
        const answer = await call("GET", "/health", undefined, timeoutMs);
        const body: unknown = JSON.parse(answer.text);
        return answer.status === 200 && isHealth(body) ? body : null;
      } catch {
        return null;
      }
    },
    /** Asks the daemon to stop. True when it agreed. */
    shutdown: async (): Promise<boolean> => (await call("POST", "/shutdown", {}, 2000)).status === 200,
    /**
     * Checks a repository out into the task's workdir. Rejects with `repo_busy` (details.retryAfterMs) when the daemon says
     * that another operation holds the repository, else with `RequestError` and the daemon's one-line reason.
     */
    repoCheckout: async (body: CheckoutRequest, signal?: AbortSignal): Promise<CheckoutResponse> => {
      const answer = await call("POST", "/repo/checkout", body, CHECKOUT_LIMIT_MS, signal);
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

/** `Retry-After` in milliseconds: seconds or a date, between 0 and 30 s; missing or senseless is one second (repocache.md 14). */
function retryAfterMs(header: string | null): number {
  const text = header?.trim() ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - new Date().getTime()) / 1000;
  return Number.isFinite(seconds) ? Math.min(30, Math.max(0, seconds)) * 1000 : 1000;
}

function isHealth(value: unknown): value is Health {
  return typeof value === "object" && value !== null && "status" in value && "pid" in value;
}
