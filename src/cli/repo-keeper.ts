import type { RunContext } from "../lib/config/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import { type CacheEntry, type CacheReport, type RepoKeeper, createRepoKeeper } from "../lib/repos/index.ts";
import { EXIT, MulticaError } from "../lib/core/index.ts";
import { openPlace } from "./execenv.ts";
import { holdInterrupts } from "./interrupt.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The caches of this machine's workspaces root, for a person. `long`: an interruption ends git and cleans up first. */
export function openKeeper(input: { context: RunContext; env: Env; home: string; root: string | undefined; long?: boolean }): RepoKeeper {
  const env = Object.fromEntries(Object.entries(input.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return createRepoKeeper({ root: openPlace(input).workspacesRoot, clock: systemClock, env, ...(input.long === true ? { signal: holdInterrupts() } : {}) });
}

/** The caches that the words mean, each once; all of them without words. */
export async function chosenCaches(keeper: RepoKeeper, words: readonly string[], workspaceId: string | undefined): Promise<CacheEntry[]> {
  if (words.length === 0) return keeper.caches(undefined, workspaceId);
  const found = (await Promise.all(words.map((word) => keeper.caches(word, workspaceId)))).flat();
  return [...new Map(found.map((cache) => [cache.path, cache])).values()];
}

/** The worst of the reports: failed, refused or busy, findings, done (decision 4). */
export function reportExit(reports: readonly CacheReport[]): number {
  const has = (status: CacheReport["status"]): boolean => reports.some((report) => report.status === status);
  return has("failed") ? EXIT.failed : has("refused") || has("busy") ? EXIT.conflict : has("findings") ? EXIT.findings : EXIT.done;
}

/** For a command that needs at least one word. */
export function requireWords(words: readonly string[], what: string): void {
  if (words.length === 0) throw new MulticaError("usage", `name at least one ${what}`, { exit: EXIT.usage });
}
