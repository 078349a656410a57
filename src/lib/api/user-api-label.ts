import type { Label } from "../wire/index.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

/** The workspace's labels (server-api.md 13.4). */
export function createLabelApi(http: Http) {
  const call = typedCall(http);
  const path = (id: string): string => `/api/labels/${encodeURIComponent(id)}`;
  return {
    list: async (workspaceId: string) => listIn<Label>(await call("GET", "/api/labels", { query: { workspace_id: workspaceId } }), "labels"),
    get: (id: string) => call<Label>("GET", path(id)),
    create: (body: { name: string; color: string }) => call<Label>("POST", "/api/labels", { body }),
    update: (id: string, body: { name?: string; color?: string }) => call<Label>("PUT", path(id), { body }),
    remove: (id: string) => call<null>("DELETE", path(id)),
  };
}
