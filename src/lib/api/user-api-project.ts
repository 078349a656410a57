import type { Project, ProjectInput, ProjectResource, ResourceInput } from "../wire/index.ts";
import type { Http, RequestOptions } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

/** Projects and what belongs to them (server-api.md 13.8). */
export function createProjectApi(http: Http) {
  const call = typedCall(http);
  const path = (...parts: string[]): string => ["/api/projects", ...parts.map(encodeURIComponent)].join("/");
  return {
    list: async (query: NonNullable<RequestOptions["query"]>) => listIn<Project>(await call("GET", path(), { query }), "projects"),
    get: (id: string) => call<Project>("GET", path(id)),
    create: (body: ProjectInput) => call<Project>("POST", path(), { body }),
    update: (id: string, body: ProjectInput) => call<Project>("PUT", path(id), { body }),
    remove: (id: string) => call<null>("DELETE", path(id)),
    resources: async (id: string) => listIn<ProjectResource>(await call("GET", path(id, "resources")), "resources"),
    addResource: (id: string, body: ResourceInput) => call<ProjectResource>("POST", path(id, "resources"), { body }),
    updateResource: (id: string, resource: string, body: ResourceInput) => call<ProjectResource>("PUT", path(id, "resources", resource), { body }),
    removeResource: (id: string, resource: string) => call<null>("DELETE", path(id, "resources", resource)),
  };
}
