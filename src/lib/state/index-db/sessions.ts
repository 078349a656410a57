import type { Clock } from "../../platform/index.ts";
import type { IndexHandle } from "./handle.ts";
import type { HomePlaces } from "./homes.ts";
import { listFromFiles, sessionFromFile } from "./list-files.ts";
import { lookUp } from "./lookup.ts";
import type { FindOptions, FoundRollout, SessionPage, SessionQuery, SessionRow } from "./types.ts";

/**
 * The rollout of a thread, from the index or from the files (state-db.md 7, 18.5). `index` null, or failing: the files alone.
 * Null = there is none. Never throws for a broken index.
 */
export async function findRollout(index: IndexHandle | null, threadId: string, options: FindOptions & { readonly clock: Clock }): Promise<FoundRollout | null> {
  const { clock, ...rest } = options;
  if (index === null) return lookUp(null, threadId, options);
  try {
    return await index.find(threadId, rest);
  } catch {
    const found = await lookUp(null, threadId, { ...rest, clock });
    return found === null ? null : { ...found, reason: "db_error" };
  }
}

/** One page of threads, from the index or from the files: the same threads either way (state-db.md 9, 19.1). */
export async function listSessions(index: IndexHandle | null, query: SessionQuery, places: HomePlaces): Promise<SessionPage> {
  if (index === null) return listFromFiles(places, query);
  try {
    return await index.list(query);
  } catch (error) {
    // A bad cursor is the caller's mistake whichever way the page is made.
    if ((error as { code?: string }).code === "usage") throw error;
    return listFromFiles(places, query);
  }
}

/**
 * What is known about a thread whose rollout was found. The index's row counts only when it is about that very file;
 * otherwise the file is read (state-db.md 9).
 */
export async function readSession(index: IndexHandle | null, found: FoundRollout, places: HomePlaces): Promise<SessionRow> {
  const row = index === null ? null : await index.get(found.thread_id).catch(() => null);
  return row !== null && row.rollout_path === found.rollout_path ? row : sessionFromFile(places, found);
}
