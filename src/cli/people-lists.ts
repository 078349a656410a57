import { asString, isMulticaError, isObject } from "../lib/core/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import { renderError, withMessage } from "./errors.ts";
import type { Person, PersonKind } from "./resolve.ts";
import type { Session } from "./session.ts";

/** How long to wait before a list is asked for again. */
const WAITS_MS = [100, 250];

/**
 * Everyone who may be assigned: members, agents, squads. A list that fails is left out; if all fail, every failure is told,
 * with the class of the first (cli.md 4.10.4).
 */
export async function listPeople(session: Session, kinds: readonly PersonKind[] = ["member", "agent", "squad"]): Promise<Person[]> {
  const workspace = session.workspaceId();
  const fetchers: Record<PersonKind, () => Promise<Person[]>> = {
    member: async () =>
      (await session.api.members(workspace)).map((one) => ({ kind: "member", id: one.user_id, name: one.name, email: one.email })),
    agent: async () => (await session.api.agents({ workspace_id: workspace })).map((one) => ({ kind: "agent", id: one.id, name: one.name })),
    squad: async () => squads((await session.http.request("GET", "/api/squads", { query: { workspace_id: workspace } })).body),
  };
  const results = await Promise.allSettled(kinds.map((kind) => retried(fetchers[kind])));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (failures.length === results.length && failures.length > 0) throw allFailed(failures);
  return results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}

/** A connection that broke is tried again; an answer, whatever its status, is not, and neither is a server that took all the time there is. */
async function retried<T>(fetch: () => Promise<T>): Promise<T> {
  for (const wait of WAITS_MS) {
    try {
      return await fetch();
    } catch (error) {
      if (!isMulticaError(error) || !error.code.startsWith("network_") || error.code === "network_timeout") throw error;
      await systemClock.sleep(wait);
    }
  }
  return fetch();
}

function allFailed(failures: readonly unknown[]): unknown {
  const said = [...new Set(failures.map((failure) => renderError(failure).message))];
  return said.length === 1 ? failures[0] : withMessage(failures[0], said.join("; "));
}

function squads(body: unknown): Person[] {
  const list = isObject(body) ? body["squads"] : body;
  return (Array.isArray(list) ? (list as unknown[]) : []).flatMap((one) => {
    if (!isObject(one) || asString(one["id"]) === "" || one["archived_at"]) return [];
    return [{ kind: "squad" as const, id: asString(one["id"]), name: asString(one["name"]) }];
  });
}
