import ky, { type KyInstance } from "ky";
import { type JsonValue, parseJson } from "../core/index.ts";
import { type ConnectionPool, createConnectionPool } from "../platform/connections.ts";
import { RequestError, networkError } from "./errors.ts";
import { DEFAULT_TIMEOUT_MS, type Http, type HttpOptions, requestHeaders, requestUrl } from "./http.ts";

/** The client of the daemon, set-up and tests: ky without its own retries, over kept-alive connections. */
export function createHttp(options: HttpOptions, pool: ConnectionPool = createConnectionPool()): Http {
  const client: KyInstance = ky.create({ retry: 0, throwHttpErrors: false, fetch: pool.fetch });
  return {
    serverUrl: options.serverUrl,
    request: async (method, path, request = {}) => {
      const url = requestUrl(options.serverUrl, path, request.query);
      const timeout = request.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      try {
        const response = await client(url, {
          method,
          headers: { ...requestHeaders(options), ...request.headers },
          timeout,
          ...(request.body === undefined ? {} : { json: request.body }),
          ...(request.signal === undefined ? {} : { signal: request.signal }),
        });
        const text = await response.text();
        if (response.status >= 400) throw new RequestError(method, path, response.status, text, retryAfter(response.headers.get("retry-after")));
        return { status: response.status, headers: response.headers, body: bodyOf(text) };
      } catch (error) {
        if (error instanceof RequestError) throw error;
        if (request.signal?.aborted) throw request.signal.reason;
        throw networkError(method, path, new URL(url).origin, error);
      }
    },
  };
}

function bodyOf(text: string): JsonValue {
  return text.trim() === "" ? null : (parseJson(text) ?? null);
}

/** Seconds of a Retry-After header as milliseconds; its date form is not used by the servers we know. */
function retryAfter(value: string | null): number | null {
  const seconds = Number(value ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.round(seconds * 1000) : null;
}
