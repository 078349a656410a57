import { EXIT, MulticaError, isObject, parseJson } from "../../core/index.ts";
import type { SessionQuery, SessionRow, SortKey } from "./types.ts";

/** A place in the order: everything behind it is the next page. */
export interface CursorPlace {
  /** Epoch milliseconds. */
  readonly t: number;
  readonly i: string;
}

export function cursorText(query: Pick<SessionQuery, "sort" | "ascending">, place: CursorPlace): string {
  return Buffer.from(JSON.stringify({ v: 1, s: query.sort, t: place.t, i: place.i, d: direction(query) })).toString("base64url");
}

/** The place a cursor stands for; null without one. Throws `usage` for a cursor of another order (state-db.md 19.1). */
export function cursorPlace(query: Pick<SessionQuery, "cursor" | "sort" | "ascending">): CursorPlace | null {
  if (query.cursor === undefined) return null;
  const value: unknown = parseJson(Buffer.from(query.cursor, "base64url").toString("utf8"));
  if (!isObject(value) || value["v"] !== 1 || typeof value["t"] !== "number" || typeof value["i"] !== "string") {
    throw new MulticaError("usage", "--cursor is not one that this command has printed", { exit: EXIT.usage });
  }
  if (value["s"] !== query.sort || value["d"] !== direction(query)) {
    throw new MulticaError("usage", "--cursor belongs to another --sort or direction", { exit: EXIT.usage, suggestions: ["Repeat the flags of the page before, or start without --cursor."] });
  }
  return { t: value["t"], i: value["i"] };
}

function direction(query: Pick<SessionQuery, "ascending">): "asc" | "desc" {
  return query.ascending ? "asc" : "desc";
}

/** What the filters look at, whichever way a thread was found. */
export type Filterable = Pick<SessionRow, "source" | "model_provider" | "cwd" | "name" | "title" | "preview" | "issue_id" | "task_id" | "agent_id">;

/** The filters of a query that need no database: one function, so that index and files answer alike. */
export function matcher(query: SessionQuery): (row: Filterable) => boolean {
  const sources = new Set(query.sources);
  const providers = new Set(query.providers);
  const search = query.search?.toLowerCase() ?? "";
  const isBelow = query.cwds.map(cwdTest);
  return (row) =>
    row.preview !== "" &&
    (sources.size === 0 || sources.has(row.source ?? "")) &&
    (providers.size === 0 || providers.has(row.model_provider ?? "")) &&
    (isBelow.length === 0 || isBelow.some((test) => row.cwd !== null && test(row.cwd))) &&
    (search === "" || [row.name, row.title, row.preview].some((text) => text?.toLowerCase().includes(search) === true)) &&
    (query.issueId === undefined || row.issue_id === query.issueId) &&
    (query.taskId === undefined || row.task_id === query.taskId) &&
    (query.agentId === undefined || row.agent_id === query.agentId);
}

function cwdTest(wanted: string): (cwd: string) => boolean {
  if (!wanted.endsWith("/**")) return (cwd) => cwd === wanted;
  const root = wanted.slice(0, -"/**".length);
  return (cwd) => cwd === root || cwd.startsWith(`${root}/`);
}

/** Order of two places under a query: negative = `a` first. */
export function compare(query: Pick<SessionQuery, "ascending">, a: CursorPlace, b: CursorPlace): number {
  const up = a.t !== b.t ? a.t - b.t : a.i < b.i ? -1 : a.i > b.i ? 1 : 0;
  return query.ascending ? up : -up;
}

export function timeOf(row: { readonly created_at: string; readonly updated_at: string }, sort: SortKey): number {
  return Date.parse(sort === "created" ? row.created_at : row.updated_at);
}
