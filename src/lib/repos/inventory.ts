import { lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readConfig } from "./config-guard.ts";
import type { Git } from "./git.ts";
import { bareName } from "./names.ts";
import { bareRepo, isBareRepo, lastUsed } from "./repo.ts";
import { listRescues } from "./rescue-refs.ts";
import { checkedUrl, maskCredentials } from "./url.ts";

export interface CachePlace {
  readonly workspaceId: string;
  readonly path: string;
}

/** One bare clone, as it is shown. */
export interface CacheEntry {
  readonly workspace_id: string;
  readonly name: string;
  readonly path: string;
  /** As cloned, without secrets. */
  readonly url: string;
  readonly bytes: number;
  /** Null when nobody noted it. */
  readonly last_used: string | null;
  /** Linked checkouts whose directory exists. */
  readonly checkouts: number;
  readonly rescues: number;
  /** True when it holds commits that no remote has: branches, stashes, rescued work. */
  readonly unpushed: boolean;
}

/** The caches below a workspaces root; `which` is a URL in any form or the name of the directory. */
export function findCaches(root: string, which?: string, workspaceId?: string): CachePlace[] {
  const names = which === undefined ? undefined : new Set([which, nameOf(which)]);
  const top = join(root, ".repos");
  return directories(top)
    .filter((workspace) => workspaceId === undefined || workspace === workspaceId)
    .flatMap((workspace) =>
      directories(join(top, workspace))
        .filter((name) => name.endsWith(".git") && (names === undefined || names.has(name)) && isBareRepo(join(top, workspace, name)))
        .map((name) => ({ workspaceId: workspace, path: join(top, workspace, name) })),
    );
}

function nameOf(which: string): string {
  try {
    return bareName(checkedUrl(which));
  } catch {
    return which;
  }
}

function directories(path: string): string[] {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export async function describeCache(git: Git, place: CachePlace, nowMs: number): Promise<CacheEntry> {
  const repo = bareRepo(git, place.path);
  const entries = await readConfig(git, join(place.path, "config")).catch(() => []);
  const used = lastUsed(place.path);
  return {
    workspace_id: place.workspaceId,
    name: basename(place.path),
    path: place.path,
    url: maskCredentials(entries.find((entry) => entry.key === "remote.origin.url")?.value ?? ""),
    bytes: bytesBelow(place.path),
    last_used: used === undefined ? null : new Date(used).toISOString(),
    checkouts: countWorktrees(place.path),
    rescues: (await listRescues(repo, nowMs)).length,
    unpushed: await hasUnpushed(git, place.path),
  };
}

/** Commits that only this cache has; what cannot be told counts as such. */
export async function hasUnpushed(git: Git, bare: string): Promise<boolean> {
  const answer = await bareRepo(git, bare).ask(["rev-list", "-n", "1", "--branches", "--glob=refs/multica", "--glob=refs/stash", "--not", "--remotes=origin"]);
  return answer.code !== 0 || answer.stdout.trim() !== "";
}

/** Registrations of linked checkouts; what was pruned before does not count. */
export function countWorktrees(bare: string): number {
  return directories(join(bare, "worktrees")).length;
}

/** Size of the files below; links are not followed. */
export function bytesBelow(path: string): number {
  let total = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) total += bytesBelow(child);
    else total += lstatSync(child, { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}
