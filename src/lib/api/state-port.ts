import { EXIT, MulticaError, parseJson } from "../core/index.ts";
import type { StateBackfillRequest, StateCheckRequest, StateJob } from "../wire/index.ts";
import { type Exchange, exchange } from "./exchange.ts";

export interface StatePortOptions {
  readonly port: number;
  /** Operator token. */
  readonly token: string;
}

/** A daemon that does not answer in this time is not waited for: the files are there too (state-db.md 19). */
const CALL_MS = 2000;
/** Looking through files that the index does not know takes longer. */
const SEARCH_MS = 15_000;

type Params = readonly (readonly [name: string, value: string])[];

/**
 * The daemon's `/state` endpoints (state-db.md 19). Rejects with the daemon's own refusal (`usage`, `thread_not_found` …),
 * or with `daemon_no_answer` whenever the question has to be answered without the daemon: nobody there, too old,
 * not ready, too slow.
 */
export function createStatePort(options: StatePortOptions) {
  const call = async <T>(method: "GET" | "POST", path: string, ask: { params?: Params; body?: unknown; timeoutMs?: number } = {}): Promise<T> => {
    const text = new URLSearchParams((ask.params ?? []).map(([name, value]): [string, string] => [name, value])).toString();
    const answer = await send(options, method, `${path}${text === "" ? "" : `?${text}`}`, ask.body, ask.timeoutMs ?? CALL_MS);
    if (answer.status >= 300) throw refusal(answer);
    return JSON.parse(answer.text) as T;
  };
  return {
    status: <T>(params: Params) => call<T>("GET", "/state", { params }),
    sessions: <T>(params: Params) => call<T>("GET", "/state/sessions", { params }),
    session: <T>(thread: string, params: Params) => call<T>("GET", `/state/sessions/${encodeURIComponent(thread)}`, { params, timeoutMs: SEARCH_MS }),
    backfill: async (body: StateBackfillRequest) => (await call<{ job: string }>("POST", "/state/backfill", { body })).job,
    check: async (body: StateCheckRequest) => (await call<{ job: string }>("POST", "/state/check", { body })).job,
    job: (id: string) => call<StateJob>("GET", `/state/jobs/${encodeURIComponent(id)}`),
  };
}
export type StatePortClient = ReturnType<typeof createStatePort>;

async function send({ port, token }: StatePortOptions, method: string, path: string, body: unknown, timeoutMs: number): Promise<Exchange> {
  try {
    return await exchange(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new MulticaError("daemon_no_answer", `the daemon on 127.0.0.1:${port} does not answer`, { cause: error, retry: "later" });
  }
}

const EXITS: Readonly<Record<string, number>> = { usage: EXIT.usage, ambiguous_thread: EXIT.usage, thread_not_found: EXIT.notFound };

/** Only a mistake of the person who asks is told; whatever else a daemon says, the files are asked instead. */
function refusal({ status, text, headers }: Exchange): MulticaError {
  const code = headers.get("x-multica-code") ?? "";
  const exit = EXITS[code];
  if (exit === undefined) return new MulticaError("daemon_no_answer", text.trim() || `status ${status}`, { details: { status, code } });
  return new MulticaError(code, text.trim(), { exit, suggestions: nextSteps(headers.get("x-multica-next")) });
}

function nextSteps(header: string | null): string[] {
  try {
    const value = parseJson(decodeURIComponent(header ?? ""));
    return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}
