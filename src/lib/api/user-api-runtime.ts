import type { AgentRuntime, RuntimePatch, RuntimeUsage } from "../wire/index.ts";
import { isStatus } from "./errors.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

/** What else went with a runtime; older servers archive the agents instead of unbinding them. */
export interface RuntimeRemoval {
  readonly agents_unbound?: number;
  readonly agents_archived?: number;
  readonly autopilots_paused?: number;
  readonly tasks_cancelled?: number;
}

/** A request to a daemon to install a version (server-api.md 13.10). */
export interface RuntimeUpdate {
  readonly id: string;
  readonly status: string;
  readonly output?: string | null;
  readonly error?: string | null;
}

/** One runtime: what it did and spent, its name, its end (server-api.md 13.10). */
export function createRuntimeApi(http: Http) {
  const call = typedCall(http);
  const path = (id: string, rest = ""): string => `/api/runtimes/${encodeURIComponent(id)}${rest}`;
  return {
    usage: async (id: string, days: number) => listIn<RuntimeUsage>(await call("GET", path(id, "/usage"), { query: { days } }), "usage"),
    activity: async (id: string) => listIn<{ hour: number; count: number }>(await call("GET", path(id, "/activity")), "activity"),
    update: (id: string, body: RuntimePatch) => call<AgentRuntime>("PATCH", path(id), { body }),
    startUpdate: (id: string, version: string) => call<RuntimeUpdate>("POST", path(id, "/update"), { body: { target_version: version } }),
    pollUpdate: (id: string, update: string) => call<RuntimeUpdate>("GET", path(id, `/update/${encodeURIComponent(update)}`)),
    remove: (id: string) => call<unknown>("DELETE", path(id)),
    /** Deletes it although these agents are bound to it; servers that lack the newer address have the older one (cli.md 4.12). */
    removeWithAgents: async (id: string, agents: readonly string[]): Promise<RuntimeRemoval | null> => {
      const options = { body: { expected_active_agent_ids: agents } };
      try {
        return await call<RuntimeRemoval | null>("POST", path(id, "/unbind-agents-and-delete"), options);
      } catch (error) {
        if (!isStatus(error, 404) && !isStatus(error, 405)) throw error;
        return call<RuntimeRemoval | null>("POST", path(id, "/archive-agents-and-delete"), options);
      }
    },
  };
}
