import { EXIT, MulticaError, isUuid } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { IndexHandle } from "./handle.ts";
import { type HomePlaces, discoverHomes } from "./homes.ts";
import { rootsOf } from "./registry.ts";
import { parseRolloutName } from "./rollout/name.ts";
import { rolloutOwner } from "./rollout/verify.ts";
import { candidates } from "./search.ts";
import { walkRollouts } from "./walk.ts";

const PREFIX_MIN = 6;
const SHOWN_MAX = 20;

/**
 * The thread a text means: a whole id, or at least six characters of its beginning that only one thread has. Throws
 * `usage` (exit 2) for other texts and, naming them, when several threads begin like this; null = none does.
 */
export async function chooseThread(index: IndexHandle | null, places: HomePlaces, text: string): Promise<string | null> {
  const wanted = text.trim().toLowerCase();
  if (isUuid(wanted)) return wanted;
  if (wanted.length < PREFIX_MIN || !/^[0-9a-f-]+$/.test(wanted)) {
    throw new MulticaError("usage", `${JSON.stringify(text)} is neither a thread id nor the first ${PREFIX_MIN} or more characters of one`, { exit: EXIT.usage });
  }
  const known = index === null ? [] : await index.idsWithPrefix(wanted, SHOWN_MAX).catch(() => []);
  const ids = known.length > 0 ? known : idsInNames(places, wanted);
  if (ids.length > 1) {
    throw new MulticaError("ambiguous_thread", `several threads begin with ${wanted}`, { exit: EXIT.usage, suggestions: ids, details: { candidates: ids } });
  }
  return ids[0] ?? null;
}

function idsInNames(places: HomePlaces, prefix: string): string[] {
  const ids = new Set<string>();
  for (const path of rootPaths(places)) {
    for (const { name } of walkRollouts(path, { failed: 0, entries: 0 })) {
      if (name.threadId?.startsWith(prefix) === true) ids.add(name.threadId);
      if (ids.size >= SHOWN_MAX) return [...ids];
    }
  }
  return [...ids];
}

function rootPaths(places: HomePlaces): string[] {
  return [...new Set(discoverHomes(places).flatMap(rootsOf).map((root) => root.path))];
}

export interface ThreadFile {
  readonly path: string;
  readonly archived: boolean;
  /** True = its own first record names the thread. */
  readonly verified: boolean;
}

/** Every file that carries the thread's id, the index's choice first: copies, archived ones, other names. */
export async function threadFiles(index: IndexHandle | null, threadId: string, options: { places: HomePlaces; clock: Clock }): Promise<ThreadFile[]> {
  const files = new Map<string, ThreadFile>();
  const look = async (path: string, archived: boolean, named: boolean): Promise<void> => {
    const owner = await rolloutOwner(path);
    const carries = owner.kind === "thread" ? owner.id === threadId : owner.kind === "unknown" && named;
    if (carries && owner.kind !== "gone" && !files.has(owner.path)) files.set(owner.path, { path: owner.path, archived, verified: owner.kind === "thread" });
  };
  for (const file of index === null ? [] : await index.files(threadId).catch(() => [])) await look(file.path, file.archived, true);
  const roots = new Map(discoverHomes(options.places).flatMap(rootsOf).map((root) => [root.path, root]));
  for (const root of roots.values()) {
    for (const path of candidates(root.path, threadId, options.clock)) {
      const named = parseRolloutName(path.slice(path.lastIndexOf("/") + 1))?.threadId === threadId;
      await look(path, root.archived, named);
    }
  }
  return [...files.values()];
}
