import { isMulticaError } from "../core/index.ts";
import { type Clock, systemClock } from "../platform/index.ts";
import type { Http } from "./http.ts";

/** About ten seconds in all: a server that is started anew, or a network that blinks. */
const WAITS_MS = [250, 500, 1000, 2000, 3000, 3000] as const;
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "PUT"]);

/**
 * The client of an agent's commands: a server that cannot be reached for a moment is waited for, because an agent takes one
 * failed command for the end of its task, and a comment that is not written is a result nobody sees. Sent again is only what
 * did not reach the server (refused connection), or what may be done twice (GET, PUT); an answer is never asked for again.
 * People and scripts are told at once (cli.md 4.5).
 */
export function patientHttp(http: Http, clock: Clock = systemClock): Http {
  return {
    serverUrl: http.serverUrl,
    request: async (method, path, request) => {
      for (const wait of WAITS_MS) {
        try {
          return await http.request(method, path, request);
        } catch (error) {
          if (!mayRepeat(method, error)) throw error;
          await clock.sleep(wait, request?.signal);
        }
      }
      return http.request(method, path, request);
    },
  };
}

function mayRepeat(method: string, error: unknown): boolean {
  return isMulticaError(error, "network_refused") || (isMulticaError(error, "network_offline") && REPEATABLE.has(method));
}
