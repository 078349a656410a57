import type { Autopilot, AutopilotInput, AutopilotRun, AutopilotTrigger, TriggerInput } from "../wire/index.ts";
import type { Http, RequestOptions } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

export interface AutopilotDetails {
  readonly autopilot: Autopilot;
  readonly triggers: readonly AutopilotTrigger[];
}

/** Autopilots, what sets them off, and their runs (server-api.md 13.13). */
export function createAutopilotApi(http: Http) {
  const call = typedCall(http);
  const path = (...parts: string[]): string => ["/api/autopilots", ...parts.map(encodeURIComponent)].join("/");
  return {
    list: async (query: NonNullable<RequestOptions["query"]>) => {
      const body = await call<{ total?: number } | null>("GET", path(), { query });
      const autopilots = listIn<Autopilot>(body, "autopilots");
      return { autopilots, total: body?.total ?? autopilots.length };
    },
    get: (id: string) => call<AutopilotDetails>("GET", path(id)),
    create: (body: AutopilotInput) => call<Autopilot>("POST", path(), { body }),
    update: (id: string, body: AutopilotInput) => call<Autopilot>("PATCH", path(id), { body }),
    remove: (id: string) => call<null>("DELETE", path(id)),
    trigger: (id: string) => call<AutopilotRun>("POST", path(id, "trigger"), { body: {} }),
    runs: async (id: string, query: NonNullable<RequestOptions["query"]>) => listIn<AutopilotRun>(await call("GET", path(id, "runs"), { query }), "runs"),
    addTrigger: (id: string, body: TriggerInput) => call<AutopilotTrigger>("POST", path(id, "triggers"), { body }),
    updateTrigger: (id: string, trigger: string, body: TriggerInput) => call<AutopilotTrigger>("PATCH", path(id, "triggers", trigger), { body }),
    rotateUrl: (id: string, trigger: string) => call<AutopilotTrigger>("POST", path(id, "triggers", trigger, "rotate-webhook-token"), { body: {} }),
    removeTrigger: (id: string, trigger: string) => call<null>("DELETE", path(id, "triggers", trigger)),
  };
}
