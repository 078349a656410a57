import { isUuid } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import { ARCHIVE, type Home, SESSIONS, discoverHomes, resolveHomes } from "./homes.ts";
import { rolloutOwner } from "./rollout/verify.ts";
import { searchByName } from "./search.ts";
import type { FindOptions, FindReason, FoundRollout } from "./types.ts";

/** What the index says about a thread: files to try, best first. */
export interface KnownFile {
  /** Plain form. */
  readonly path: string;
  readonly archived: boolean;
}

/** The index as the look-up needs it; every call may throw. Null = there is none. */
export interface LookupRows {
  filesOf(threadId: string): readonly KnownFile[];
  /** Writes what the look-up found: the right file, and the ones that turned out to be gone or another thread's. True when it could. */
  repair(found: { readonly path: string; readonly archived: boolean }, wrong: readonly string[]): Promise<boolean>;
}

/**
 * The rollout of a thread (state-db.md 7, 18.5). Order of trust: a row whose file carries the id, a file found by its name,
 * a row whose file is there but does not say whose it is. Null = not found, or no thread id.
 */
export async function lookUp(rows: LookupRows | null, threadId: string, options: FindOptions & { readonly clock: Clock }): Promise<FoundRollout | null> {
  const id = threadId.toLowerCase();
  if (!isUuid(id)) return null;
  const homes = options.home === undefined ? discoverHomes(options.places) : resolveHomes([{ path: options.home, kind: "extra" }]);
  for (const archived of options.scope === "any" ? [false, true] : [options.scope === "archived"]) {
    const found = await lookUpIn(rows, id, { homes, archived, options });
    if (found !== null) return found;
  }
  return null;
}

interface Scope {
  readonly homes: readonly Home[];
  readonly archived: boolean;
  readonly options: FindOptions & { readonly clock: Clock };
}

async function lookUpIn(rows: LookupRows | null, id: string, scope: Scope): Promise<FoundRollout | null> {
  const { archived, options } = scope;
  const known = await tryRows(rows, id, scope);
  if (known.verified !== null) return answer(id, known.verified, scope, { verified: true, via: "index", repaired: false, reason: null });
  for (const root of rootsIn(scope)) {
    const named = await searchByName(root, id, options.clock);
    if (named === null || (!named.verified && known.unverified !== null)) continue;
    const repaired = rows !== null && options.repair && known.reason !== "db_error" && (await rows.repair({ path: plainForm(named.path), archived }, known.wrong).catch(() => false));
    return answer(id, named.path, scope, { verified: named.verified, via: "search", repaired, reason: known.reason });
  }
  if (rows !== null && options.repair && known.wrong.length > 0) await rows.repair({ path: "", archived }, known.wrong).catch(() => false);
  if (known.unverified === null) return null;
  return answer(id, known.unverified, scope, { verified: false, via: "unverified", repaired: false, reason: known.reason });
}

interface Tried {
  readonly verified: string | null;
  readonly unverified: string | null;
  readonly reason: FindReason;
  /** Rows that do not lead to this thread. */
  readonly wrong: readonly string[];
}

async function tryRows(rows: LookupRows | null, id: string, scope: Scope): Promise<Tried> {
  if (rows === null) return { verified: null, unverified: null, reason: "no_index", wrong: [] };
  let files: readonly KnownFile[];
  try {
    files = rows.filesOf(id).filter((file) => file.archived === scope.archived && isWithin(file.path, scope));
  } catch {
    return { verified: null, unverified: null, reason: "db_error", wrong: [] };
  }
  let reason: FindReason = files.length === 0 ? "missing_row" : "stale_path";
  let unverified: string | null = null;
  const wrong: string[] = [];
  for (const file of files) {
    const owner = await rolloutOwner(file.path);
    if (owner.kind === "thread" && owner.id === id) return { verified: owner.path, unverified: null, reason, wrong };
    if (owner.kind === "unknown") unverified ??= owner.path;
    else wrong.push(file.path);
    if (owner.kind === "thread") reason = "mismatch";
  }
  return { verified: null, unverified, reason, wrong };
}

/** With a home asked for, only files below its roots count: the agent will be started in that home. */
function isWithin(path: string, scope: Scope): boolean {
  return scope.options.home === undefined || rootsIn(scope).some((root) => path.startsWith(`${root}/`));
}

function rootsIn({ homes, archived }: Scope): string[] {
  const roots = homes.map((home) => (archived ? home.archive : home.sessions)?.path);
  return [...new Set(roots.filter((path) => path !== undefined))];
}

function answer(id: string, path: string, scope: Scope, how: Pick<FoundRollout, "verified" | "via" | "repaired" | "reason">): FoundRollout {
  const { homes, archived, options } = scope;
  const rootOf = (home: Home): string | undefined => (archived ? home.archive : home.sessions)?.path;
  const through = homes.filter((home) => path.startsWith(`${rootOf(home) ?? "\0"}/`));
  const [first] = through;
  const name = archived ? ARCHIVE : SESSIONS;
  // In the words of the home that was asked for: its own link to the sessions may be one of many.
  const shown = options.home !== undefined && first !== undefined ? `${options.home}/${name}${path.slice((rootOf(first) ?? "").length)}` : path;
  return { thread_id: id, rollout_path: shown, archived, ...how, homes: through.map((home) => home.path) };
}

function plainForm(path: string): string {
  return path.endsWith(".zst") ? path.slice(0, -".zst".length) : path;
}
