import type { Agent, CatalogueEntry, Skill, SkillInput, TaskRow } from "../wire/index.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

/** A file of a skill as servers answer it. */
export interface SkillFile {
  readonly id: string;
  readonly path: string;
  readonly created_at?: string | null;
  readonly updated_at?: string | null;
}

/** Skills of the workspace and their files (server-api.md 13.11). */
export function createSkillApi(http: Http) {
  const call = typedCall(http);
  const path = (...parts: string[]): string => ["/api/skills", ...parts.map(encodeURIComponent)].join("/");
  return {
    list: async () => listIn<Skill>(await call("GET", path()), "skills"),
    get: (id: string) => call<Skill>("GET", path(id)),
    create: (body: SkillInput) => call<Skill>("POST", path(), { body }),
    update: (id: string, body: SkillInput) => call<Skill>("PUT", path(id), { body }),
    remove: (id: string) => call<null>("DELETE", path(id)),
    files: async (id: string) => listIn<SkillFile>(await call("GET", path(id, "files")), "files"),
    putFile: (id: string, body: { path: string; content: string }) => call<SkillFile>("PUT", path(id, "files"), { body }),
    importUrl: (body: { url: string; on_conflict: string }, timeoutMs: number) => call<unknown>("POST", path("import"), { body, timeoutMs }),
    refresh: (id: string, timeoutMs: number) => call<Skill>("POST", path(id, "refresh"), { body: {}, timeoutMs }),
    search: async (q: string) => listIn<CatalogueEntry>(await call("GET", path("search"), { query: { q } }), "skills"),
    removeFile: (id: string, file: string) => call<null>("DELETE", path(id, "files", file)),
  };
}

/** What belongs to an agent besides its fields (server-api.md 13.9.1). */
export function createAgentExtrasApi(http: Http) {
  const call = typedCall(http);
  const path = (id: string, rest: string): string => `/api/agents/${encodeURIComponent(id)}/${rest}`;
  return {
    restore: (id: string) => call<Agent>("POST", path(id, "restore"), { body: {} }),
    tasks: async (id: string) => listIn<TaskRow>(await call("GET", path(id, "tasks")), "tasks"),
    skills: async (id: string) => listIn<Skill>(await call("GET", path(id, "skills")), "skills"),
    setSkills: async (id: string, ids: readonly string[]) => listIn<Skill>(await call("PUT", path(id, "skills"), { body: { skill_ids: ids } }), "skills"),
    addSkills: async (id: string, ids: readonly string[]) => listIn<Skill>(await call("POST", path(id, "skills/add"), { body: { skill_ids: ids } }), "skills"),
    env: (id: string) => call<{ custom_env?: Record<string, string> | null }>("GET", path(id, "env")),
    setEnv: (id: string, env: Record<string, string>) => call<{ custom_env?: Record<string, string> | null }>("PUT", path(id, "env"), { body: { custom_env: env } }),
  };
}
