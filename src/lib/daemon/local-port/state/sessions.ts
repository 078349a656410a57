import { MulticaError } from "../../../core/index.ts";
import { type FindScope, type IndexHandle, type SessionQuery, chooseThread, discoverHomes, findRollout, listSessions, readSession, threadFiles } from "../../../state/index.ts";
import type { LocalContext } from "../access.ts";
import type { StatePort } from "./answers.ts";

/** `GET /state/sessions`: the flags of `session list` as parameters. */
export async function sessionsRoute(c: LocalContext, port: StatePort): Promise<Response> {
  const index = readyIndex(port);
  const query = queryOf(new URL(c.req.url).searchParams);
  if (query.home !== undefined && query.home !== "user" && query.home !== "tasks") requireHome(port, query.home);
  return c.json(await listSessions(index, query, port.places));
}

/** `GET /state/sessions/{thread}`: where it is, what is known about it, and with `all` every file that carries it. */
export async function sessionRoute(c: LocalContext, port: StatePort): Promise<Response> {
  const index = readyIndex(port);
  const { places, clock } = port;
  const params = new URL(c.req.url).searchParams;
  const [text, home] = [c.req.param("thread") ?? "", params.get("home") ?? undefined];
  if (home !== undefined) requireHome(port, home);
  const scope: FindScope = params.get("scope") === "archived" ? "archived" : "any";
  const id = await chooseThread(index, places, text);
  const found = id === null ? null : await findRollout(index, id, { scope, places, home, repair: params.get("repair") !== "false", clock });
  if (id === null || found === null) throw new MulticaError("thread_not_found", `no session ${text} was found`);
  const session = params.get("session") === "true" ? { session: await readSession(index, found, places) } : {};
  return c.json({ found, files: params.get("all") === "true" ? await threadFiles(index, id, { places, clock }) : [], ...session });
}

/** Without it the one who asks looks into the files itself: this thread must not read thousands of them. */
export function readyIndex({ index }: StatePort): IndexHandle {
  if (index !== null) return index;
  throw new MulticaError("index_not_ready", "the index of sessions is not complete yet");
}

/** A home that this daemon does not look into is the asking process's own business. */
export function requireHome({ places }: StatePort, path: string): void {
  if (!discoverHomes(places).some((home) => home.path === path)) throw new MulticaError("unknown_home", `the daemon does not look into ${path}`);
}

function queryOf(params: URLSearchParams): SessionQuery {
  const text = (name: string): string | undefined => params.get(name) ?? undefined;
  const limit = Number(params.get("limit") ?? 25);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) throw new MulticaError("usage", "limit must be between 1 and 500");
  return {
    limit,
    cursor: text("cursor"),
    sort: params.get("sort") === "created" ? "created" : "updated",
    ascending: params.get("asc") === "true",
    archived: params.get("archived") === "true",
    sources: params.getAll("source"),
    providers: params.getAll("provider"),
    cwds: params.getAll("cwd"),
    search: text("search"),
    home: text("home"),
    issueId: text("issue"),
    taskId: text("task"),
    agentId: text("agent"),
  };
}
