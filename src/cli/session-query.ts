import { isAbsolute, resolve } from "node:path";
import type { SessionQuery } from "../lib/state/index.ts";

/** The flags of `session list` that say what is wanted. */
export interface SessionFlags {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly sort?: string | undefined;
  readonly asc?: boolean | undefined;
  readonly archived?: boolean | undefined;
  readonly source?: readonly string[] | undefined;
  readonly provider?: readonly string[] | undefined;
  readonly cwd?: readonly string[] | undefined;
  readonly search?: string | undefined;
  readonly home?: string | undefined;
  readonly issue?: string | undefined;
  readonly task?: string | undefined;
  readonly agent?: string | undefined;
}

/** The flags as a query; directories become real ones, as the index keeps them. */
export async function sessionQuery(flags: SessionFlags, cwd: string): Promise<SessionQuery> {
  const { cursorPlace, normalDirectory } = await import("../lib/state/index.ts");
  const real = (path: string): string => normalDirectory(isAbsolute(path) ? path : resolve(cwd, path));
  const below = (path: string): string => (path.endsWith("/**") ? `${real(path.slice(0, -"/**".length) || "/")}/**` : real(path));
  const { home } = flags;
  const query: SessionQuery = {
    limit: flags.limit ?? 25,
    cursor: flags.cursor,
    sort: flags.sort === "created" ? "created" : "updated",
    ascending: flags.asc === true,
    archived: flags.archived === true,
    sources: flags.source ?? [],
    providers: flags.provider ?? [],
    cwds: (flags.cwd ?? []).map(below),
    search: flags.search,
    home: home === undefined || home === "user" || home === "tasks" ? home : real(home),
    issueId: flags.issue,
    taskId: flags.task,
    agentId: flags.agent,
  };
  // A bad cursor is told before anything is opened.
  cursorPlace(query);
  return query;
}
