import { parseJson } from "../core/index.ts";
import { RequestError, networkError } from "./errors.ts";
import { exchange } from "./exchange.ts";
import { DEFAULT_TIMEOUT_MS, type Http, type HttpOptions, requestHeaders, requestUrl } from "./http.ts";

/**
 * The same client on Node's own HTTP, without a library: for commands that agents start thousands of times.
 * Same errors, same headers, no retries.
 */
export function createLightHttp(options: HttpOptions): Http {
  return {
    serverUrl: options.serverUrl,
    request: async (method, path, request = {}) => {
      const url = requestUrl(options.serverUrl, path, request.query);
      const limit = AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      try {
        const response = await exchange(url, {
          method,
          headers: {
            ...requestHeaders(options),
            ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
            ...request.headers,
          },
          signal: request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]),
          ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        });
        const { text } = response;
        if (response.status >= 300) throw new RequestError(method, path, response.status, text);
        return { status: response.status, headers: response.headers, body: text.trim() === "" ? null : (parseJson(text) ?? null) };
      } catch (error) {
        if (error instanceof RequestError) throw error;
        if (request.signal?.aborted) throw request.signal.reason;
        throw networkError(method, path, new URL(url).origin, error);
      }
    },
  };
}
