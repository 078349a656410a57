import { MulticaError } from "../core/index.ts";
import type { HeaderReader } from "./exchange.ts";

/** Who is calling, and where: what every request carries (server-api.md 1.3). */
export interface HttpOptions {
  /** Base URL without trailing slash; a path prefix is kept. */
  readonly serverUrl: string;
  /** Read at each request, so that a renewed token is used at once; empty = no Authorization header. */
  readonly token: string | (() => string);
  readonly platform: "daemon" | "cli";
  readonly clientVersion: string;
  readonly os: string;
  readonly capabilities?: readonly string[];
  readonly workspaceId?: string;
  readonly agentId?: string;
  readonly taskId?: string;
  /** Limit of one request in milliseconds; 30 000 unless given. */
  readonly timeoutMs?: number;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface RequestOptions {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderReader;
  /** Parsed JSON; null for an empty body or one that is not JSON. */
  readonly body: unknown;
}

/**
 * One request, one answer; never retried here: retries are protocol and live with their caller.
 * Rejects with `RequestError` (status ≥ 400), a network error (exit 6), or the signal's reason.
 */
export interface Http {
  readonly serverUrl: string;
  request(method: Method, path: string, options?: RequestOptions): Promise<HttpAnswer>;
}

export const DEFAULT_TIMEOUT_MS = 30_000;

/** The headers of every request; empty values are left out. */
export function requestHeaders(options: HttpOptions): Record<string, string> {
  const token = typeof options.token === "function" ? options.token() : options.token;
  const all: Record<string, string | undefined> = {
    Authorization: token === "" ? undefined : `Bearer ${token}`,
    "X-Client-Platform": options.platform,
    "X-Client-Version": options.clientVersion,
    "X-Client-OS": options.os === "darwin" ? "macos" : options.os,
    "X-Client-Capabilities": options.capabilities?.join(",") || undefined,
    "X-Workspace-ID": options.workspaceId || undefined,
    "X-Agent-ID": options.agentId || undefined,
    "X-Task-ID": options.taskId || undefined,
  };
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

/** Base URL, path and query as one URL. Throws `bad_server_url` when the base is not an http(s) address. */
export function requestUrl(serverUrl: string, path: string, query: RequestOptions["query"] = {}): string {
  let url: URL;
  try {
    url = new URL(serverUrl + path);
  } catch (error) {
    throw new MulticaError("bad_server_url", `the server address ${JSON.stringify(serverUrl)} is not a URL`, {
      cause: error,
      exit: 6,
      suggestions: ["Write it with its scheme, for example http://127.0.0.1:8390."],
    });
  }
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
  return url.toString();
}
