import { EXIT, MulticaError } from "../../core/index.ts";
import { type Home, type HomePlaces, discoverHomes, resolveHomes } from "./homes.ts";
import { inOrder } from "./list.ts";
import { readNames } from "./names.ts";
import { PlaceBook, type TaskLink } from "./places.ts";
import { compare, cursorPlace, cursorText, matcher, timeOf } from "./query.ts";
import { rootsOf } from "./registry.ts";
import { readRollout } from "./rollout/read.ts";
import type { ReadRollout } from "./rollout/facts.ts";
import type { FoundRollout, SessionPage, SessionQuery, SessionRow } from "./types.ts";
import { type Candidate, candidateOf, walkRollouts } from "./walk.ts";

/** Files read for one page without an index; more than that and the answer says that it is partial. */
const FILES_MAX = 10_000;

interface Found {
  readonly candidate: Candidate;
  readonly archived: boolean;
  readonly read: ReadRollout;
  readonly homes: readonly Home[];
}

/** The page that the index would give, from the files alone (state-db.md 9): slower, the same answer. */
export async function listFromFiles(places: HomePlaces, query: SessionQuery): Promise<SessionPage> {
  const homes = homesFor(places, query.home);
  const { files, partial } = newestFiles(homes);
  const threads = new Map<string, Found>();
  for (const file of files) {
    const found = { ...file, read: await readRollout(file.candidate.path) };
    const id = found.read.facts.threadId;
    if (id === null || found.read.facts.createdMs === null) continue;
    const other = threads.get(id);
    const homes = [...new Set([...(other?.homes ?? []), ...found.homes])];
    threads.set(id, { ...(other === undefined || preference(found, other) < 0 ? found : other), homes });
  }
  const names = await allNames(homes);
  const book = new PlaceBook(places.workspacesRoot);
  const matches = matcher(query);
  const rows: SessionRow[] = [];
  for (const [id, found] of threads) {
    if (found.archived !== query.archived) continue;
    const cwd = found.read.facts.cwd === null ? null : book.directory(found.read.facts.cwd);
    const link = await book.taskOf([cwd, found.candidate.path]);
    const row = toSession(id, found, { cwd, link, name: names.get(id) ?? null });
    if (matches(row) && isIn(query.home, found, link)) rows.push(row);
  }
  return pageOf(rows, query, partial);
}

/** The same row for one file that was found: its own words, whatever the index says. */
export async function sessionFromFile(places: HomePlaces, found: FoundRollout): Promise<SessionRow> {
  const candidate = candidateOf(found.rollout_path);
  if (candidate === null) throw new MulticaError("thread_not_found", `${found.rollout_path} is gone`, { exit: EXIT.notFound });
  const read = await readRollout(candidate.path);
  const homes = discoverHomes(places);
  const book = new PlaceBook(places.workspacesRoot);
  const cwd = read.facts.cwd === null ? null : book.directory(read.facts.cwd);
  const link = await book.taskOf([cwd, candidate.path]);
  const row = toSession(found.thread_id, { candidate, archived: found.archived, read, homes: [] }, { cwd, link, name: (await allNames(homes)).get(found.thread_id) ?? null });
  return { ...row, homes: found.homes };
}

function pageOf(rows: SessionRow[], query: SessionQuery, partial: boolean): SessionPage {
  const after = cursorPlace(query);
  const sorted = rows
    .sort(inOrder(query))
    .filter((row) => after === null || compare(query, { t: timeOf(row, query.sort), i: row.thread_id }, after) > 0);
  const sessions = sorted.slice(0, query.limit);
  const last = sessions.at(-1);
  const more = sorted.length > sessions.length && last !== undefined;
  return { sessions, next_cursor: more ? cursorText(query, { t: timeOf(last, query.sort), i: last.thread_id }) : null, from: "files", partial };
}

function homesFor(places: HomePlaces, home: string | undefined): Home[] {
  if (home === undefined || home === "user" || home === "tasks") return discoverHomes(places);
  return resolveHomes([{ path: home, kind: "extra" }]);
}

type Listed = Omit<Found, "read">;

function newestFiles(homes: readonly Home[]): { files: Listed[]; partial: boolean } {
  const roots = new Map<string, { archived: boolean; homes: Home[] }>();
  for (const home of homes) {
    for (const root of rootsOf(home)) {
      const known = roots.get(root.path) ?? { archived: root.archived, homes: [] };
      known.homes.push(home);
      roots.set(root.path, known);
    }
  }
  const files: Listed[] = [];
  for (const [path, root] of roots) {
    for (const candidate of walkRollouts(path, { failed: 0, entries: 0 })) files.push({ candidate, archived: root.archived, homes: root.homes });
  }
  if (files.length <= FILES_MAX) return { files, partial: false };
  files.sort((a, b) => b.candidate.mtimeUs - a.candidate.mtimeUs);
  return { files: files.slice(0, FILES_MAX), partial: true };
}

/** Which of two files of a thread counts; negative = the first (state-db.md 18.4). */
function preference(a: Found, b: Found): number {
  const rank = (found: Found): number[] => [found.read.status === "ok" ? 0 : 1, found.archived ? 1 : 0, -found.candidate.size, -found.candidate.mtimeUs];
  const [left, right] = [rank(a), rank(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  if (at !== -1) return (left[at] ?? 0) - (right[at] ?? 0);
  return a.candidate.plainPath < b.candidate.plainPath ? -1 : 1;
}

async function allNames(homes: readonly Home[]): Promise<Map<string, string>> {
  const names = new Map<string, { name: string; updatedMs: number }>();
  for (const home of homes) {
    for (const [id, name] of await readNames(home.path)) {
      if (name.updatedMs >= (names.get(id)?.updatedMs ?? 0)) names.set(id, name);
    }
  }
  return new Map([...names].filter(([, { name }]) => name !== "").map(([id, { name }]) => [id, name]));
}

function isIn(home: string | undefined, found: Found, link: TaskLink | null): boolean {
  const kinds = new Set(found.homes.map(({ kind }) => kind));
  if (home === "user") return kinds.has("user");
  if (home === "tasks") return link !== null || ((kinds.has("task") || kinds.has("store")) && !kinds.has("user"));
  return true;
}

function toSession(id: string, found: Found, extra: { cwd: string | null; link: TaskLink | null; name: string | null }): SessionRow {
  const { facts } = found.read;
  const updated = new Date(Math.floor(found.candidate.mtimeUs / 1000)).toISOString();
  return {
    thread_id: id,
    provider: "codex",
    title: facts.title,
    name: extra.name,
    preview: facts.preview,
    created_at: new Date(facts.createdMs ?? 0).toISOString(),
    updated_at: updated,
    cwd: extra.cwd,
    source: facts.source,
    model_provider: facts.modelProvider,
    model: facts.model,
    tokens_used: facts.tokensUsed,
    archived: found.archived,
    archived_at: found.archived ? updated : null,
    git: { sha: facts.gitSha, branch: facts.gitBranch, origin_url: facts.gitOriginUrl },
    rollout_path: found.candidate.path,
    homes: found.homes.map(({ path }) => path),
    task_id: extra.link?.taskId ?? null,
    issue_id: extra.link?.issueId ?? null,
    agent_id: extra.link?.agentId ?? null,
  };
}
