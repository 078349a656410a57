import { EXIT, MulticaError } from "../core/index.ts";
import type {
  DetachSummary,
  ExecCleanRequest,
  ExecMoveRequest,
  ExecOutput,
  ExecReadRequest,
  ExecRecord,
  ExecSignalRequest,
  ExecStartRequest,
  ExecStartedAnswer,
  ExecWriteRequest,
  GcReport,
  ReattachSummary,
} from "../wire/index.ts";
import { type Exchange, exchange } from "./exchange.ts";

export interface ExecPortOptions {
  readonly port: number;
  /** Operator token or task token. */
  readonly token: string;
  /** Said when nobody answers. */
  readonly profile?: string;
}

/** Beyond the time a call may wait for output (exec-sessions.md 18.2). */
const SLACK_MS = 15_000;
const CALL_MS = 60_000;

export type ExecPortClient = ReturnType<typeof createExecPort>;

/** Which process; both parts as the daemon gave them. */
export interface ProcessName {
  readonly thread_id: string;
  readonly process_id: string;
}

/**
 * The daemon's exec endpoints (exec-sessions.md 18.2). Rejects with the daemon's code and words; `daemon_unreachable` (6)
 * when nobody answers, `daemon_too_old` (1) when the daemon has no such endpoints.
 */
export function createExecPort(options: ExecPortOptions) {
  const call = async <T>(method: "GET" | "POST", path: string, body?: unknown, timeoutMs = CALL_MS): Promise<T> => {
    const answer = await send(options, method, path, body, timeoutMs);
    if (answer.status >= 300) throw failure(answer, path);
    return JSON.parse(answer.text) as T;
  };
  const of = (name: ProcessName, action = ""): string => `/exec/${encodeURIComponent(name.thread_id)}/${encodeURIComponent(name.process_id)}${action}`;
  const waits = (yieldMs: number | undefined, fallback: number): number => (yieldMs ?? fallback) + SLACK_MS;
  return {
    port: options.port,
    token: options.token,
    start: (body: ExecStartRequest) => call<ExecStartedAnswer>("POST", "/exec", body, waits(body.yield_ms, 30_000)),
    list: async (query: Readonly<Record<string, string | undefined>> = {}) => {
      const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
      const text = new URLSearchParams(given as [string, string][]).toString();
      return (await call<{ processes: ExecRecord[] }>("GET", `/exec${text === "" ? "" : `?${text}`}`)).processes;
    },
    record: (name: ProcessName) => call<ExecRecord>("GET", of(name)),
    read: (name: ProcessName, body: ExecReadRequest) => call<ExecOutput>("POST", of(name, "/read"), body, waits(body.yield_ms, 300_000)),
    write: (name: ProcessName, body: ExecWriteRequest) => call<Partial<ExecOutput> & { status: string }>("POST", of(name, "/write"), body, waits(body.yield_ms, 30_000)),
    resize: (name: ProcessName, size: { cols: number; rows: number }) => call<{ ok: true }>("POST", of(name, "/resize"), size),
    signal: (name: ProcessName, body: ExecSignalRequest) => call<{ ok: true }>("POST", of(name, "/signal"), body),
    kill: (name: ProcessName, body: { grace_ms?: number; force?: boolean }) => call<{ running: boolean }>("POST", of(name, "/kill"), body, CALL_MS + (body.grace_ms ?? 5000)),
    detach: (body: ExecMoveRequest) => call<DetachSummary & { thread_id: string }>("POST", "/exec/detach", body),
    reattach: (body: ExecMoveRequest) => call<ReattachSummary & { thread_id: string }>("POST", "/exec/reattach", body),
    clean: (body: ExecCleanRequest) => call<DetachSummary>("POST", "/exec/clean", body),
    gc: (body: { dry_run: boolean }) => call<GcReport>("POST", "/exec/gc", body),
  };
}

async function send({ port, token, profile }: ExecPortOptions, method: string, path: string, body: unknown, timeoutMs: number): Promise<Exchange> {
  try {
    return await exchange(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw noDaemon(`127.0.0.1:${port}`, profile, error);
  }
}

/** Nobody answers there (exit 6), naming port and profile. */
export function noDaemon(place: string, profile: string | undefined, cause?: unknown): MulticaError {
  const whose = profile === undefined ? "" : ` (profile ${profile === "" ? "default" : profile})`;
  return new MulticaError("daemon_unreachable", `no daemon answers on ${place}${whose}`, {
    exit: EXIT.unreachable,
    retry: "later",
    suggestions: ["Start it with `multica daemon start`, or look at `multica daemon status`."],
    ...(cause === undefined ? {} : { cause }),
  });
}

const EXITS: Readonly<Record<number, number>> = {
  400: EXIT.validation,
  401: EXIT.notSignedIn,
  403: EXIT.notSignedIn,
  404: EXIT.notFound,
  409: EXIT.conflict,
  413: EXIT.validation,
  422: EXIT.validation,
  429: EXIT.conflict,
};

function failure(answer: Exchange, path: string): MulticaError {
  const text = answer.text.trim();
  const code = answer.headers.get("X-Multica-Code");
  if (answer.status === 404 && code === null) {
    return new MulticaError("daemon_too_old", "the daemon is too old: it knows no exec sessions", {
      exit: EXIT.failed,
      suggestions: ["Restart it with this version: multica daemon restart."],
    });
  }
  const exit = code === "ambiguous" ? EXIT.usage : code === "busy" || code === "starting" ? EXIT.conflict : (EXITS[answer.status] ?? EXIT.failed);
  return new MulticaError(code ?? "refused", text === "" ? `the daemon answered ${path} with status ${answer.status}` : text, { exit });
}
