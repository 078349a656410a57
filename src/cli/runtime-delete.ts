import { isStatus } from "../lib/api/errors.ts";
import { type RuntimeRemoval, createRuntimeApi } from "../lib/api/user-api-runtime.ts";
import { createUserApi } from "../lib/api/user-api.ts";
import { asString, EXIT, isObject, MulticaError, parseJson } from "../lib/core/index.ts";
import type { Http } from "../lib/api/http.ts";

interface BoundAgent {
  readonly id: string;
  readonly name: string;
}

/**
 * Deletes a runtime. When active agents are bound to it: with `cascade` it goes all the same and they stay without one,
 * otherwise a conflict (exit 7) that names them. The server refuses when they have changed in between (cli.md 5.6).
 */
export async function deleteRuntime(http: Http, id: string, cascade: boolean): Promise<RuntimeRemoval> {
  const api = createRuntimeApi(http);
  try {
    await api.remove(id);
    return {};
  } catch (error) {
    const agents = await boundAgents(http, id, error);
    if (agents.length === 0) throw error;
    if (cascade) return counts(await api.removeWithAgents(id, agents.map((agent) => agent.id)));
    const names = agents.map((agent) => `${agent.name} (${agent.id})`).join(", ");
    throw new MulticaError("runtime_has_active_agents", `agents are bound to the runtime: ${names}`, {
      exit: EXIT.conflict,
      suggestions: ["--cascade deletes it all the same: its runs are cancelled, these agents stay without a runtime."],
    });
  }
}

async function boundAgents(http: Http, runtime: string, error: unknown): Promise<BoundAgent[]> {
  if (!isStatus(error, 409) || !error.body.includes('"runtime_has_active_agents"')) return [];
  const body = parseJson(error.body);
  // What is kept of an answer may be too short for many of them.
  if (body === undefined) return ((await createUserApi(http).agents()) ?? []).filter((agent) => agent.runtime_id === runtime && !agent.archived_at);
  const list: unknown = isObject(body) && body["code"] === "runtime_has_active_agents" ? body["active_agents"] : undefined;
  return (Array.isArray(list) ? list : []).flatMap((agent: unknown) => {
    return isObject(agent) && asString(agent["id"]) !== "" ? [{ id: asString(agent["id"]), name: asString(agent["name"]) }] : [];
  });
}

function counts(answer: RuntimeRemoval | null): RuntimeRemoval {
  const keys = ["agents_unbound", "agents_archived", "autopilots_paused", "tasks_cancelled"] as const;
  return Object.fromEntries(keys.flatMap((key) => (typeof answer?.[key] === "number" ? [[key, answer[key]]] : [])));
}
