import type { SessionPage, SessionQuery } from "../lib/state/index.ts";
import { type UseIndex, withIndex } from "./session-index.ts";
import { askDaemon } from "./state-daemon.ts";

/** One page of sessions: from the daemon when one runs, else from the index, else from the files (state-db.md 19). */
export async function sessionPage(use: UseIndex, query: SessionQuery): Promise<SessionPage> {
  const { listSessions } = await import("../lib/state/index.ts");
  const asked = use.noIndex === true ? null : await askDaemon(use.stateDir, (port) => port.sessions<SessionPage>(params(query)));
  if (asked?.kind === "answer") return asked.value;
  return withIndex({ ...use, onlyLook: asked?.kind === "busy" }, (index) => listSessions(index, query, use.places));
}

function params(query: SessionQuery): [string, string][] {
  const one = (name: string, value: string | undefined): [string, string][] => (value === undefined ? [] : [[name, value]]);
  const many = (name: string, values: readonly string[]): [string, string][] => values.map((value) => [name, value]);
  return [
    ["limit", String(query.limit)],
    ...one("cursor", query.cursor),
    ["sort", query.sort],
    ["asc", String(query.ascending)],
    ["archived", String(query.archived)],
    ...many("source", query.sources),
    ...many("provider", query.providers),
    ...many("cwd", query.cwds),
    ...one("search", query.search),
    ...one("home", query.home),
    ...one("issue", query.issueId),
    ...one("task", query.taskId),
    ...one("agent", query.agentId),
  ];
}
