import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../platform/index.ts";
import { parseRolloutName, uuidTime } from "./rollout/name.ts";
import { rolloutOwner } from "./rollout/verify.ts";

const ENTRIES_MAX = 200_000;
const TIME_MAX_MS = 10_000;
const DAY_MS = 86_400_000;
const DEPTH_MAX = 6;

export interface NamedFile {
  readonly path: string;
  /** True = its own first record names the thread; false = only its name does. */
  readonly verified: boolean;
}

/**
 * Looks for a thread's rollout below a root by file names (state-db.md 7.3, 18.5): first in the days around the moment in
 * its id, then everywhere, newest first. The file's first record has the last word; a name alone counts only when no
 * file's record does, and only in the form that Codex writes.
 */
export async function searchByName(root: string, threadId: string, clock: Clock): Promise<NamedFile | null> {
  let fallback: string | null = null;
  for (const path of candidates(root, threadId, clock)) {
    const owner = await rolloutOwner(path);
    if (owner.kind === "thread" && owner.id === threadId) return { path: owner.path, verified: true };
    const name = parseRolloutName(path.slice(path.lastIndexOf("/") + 1));
    if (owner.kind === "unknown" && name?.threadId === threadId) fallback ??= owner.path;
  }
  return fallback === null ? null : { path: fallback, verified: false };
}

/** Every file below a root whose name speaks of the thread; the days near its beginning first. */
export function* candidates(root: string, threadId: string, clock: Clock): Generator<string> {
  const seen = new Set<string>();
  const budget = { entries: ENTRIES_MAX, until: clock.monotonic() + TIME_MAX_MS };
  for (const directory of likelyDays(root, threadId)) {
    for (const path of filesIn(directory, threadId)) {
      seen.add(path);
      yield path;
    }
  }
  for (const path of walk(root, threadId, clock, budget, 0)) if (!seen.has(path)) yield path;
}

function likelyDays(root: string, threadId: string): string[] {
  const at = uuidTime(threadId);
  if (at === null) return [];
  // Names carry local time: the day before and after belong to the same moment somewhere.
  return [0, -1, 1].map((shift) => join(root, ...new Date(at + shift * DAY_MS).toISOString().slice(0, 10).split("-")));
}

function filesIn(directory: string, threadId: string): string[] {
  return list(directory).filter((entry) => matches(entry, threadId)).map((entry) => join(directory, entry.name));
}

function* walk(directory: string, threadId: string, clock: Clock, budget: { entries: number; until: number }, depth: number): Generator<string> {
  const entries = list(directory).sort((a, b) => (a.name < b.name ? 1 : -1));
  budget.entries -= entries.length;
  for (const entry of entries) if (matches(entry, threadId)) yield join(directory, entry.name);
  if (depth >= DEPTH_MAX) return;
  for (const entry of entries) {
    if (budget.entries < 0 || clock.monotonic() > budget.until) return;
    if (entry.isDirectory()) yield* walk(join(directory, entry.name), threadId, clock, budget, depth + 1);
  }
}

function matches(entry: Dirent, threadId: string): boolean {
  return !entry.isDirectory() && entry.name.toLowerCase().includes(threadId) && parseRolloutName(entry.name) !== null;
}

function list(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
