import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, removeFile } from "../platform/index.ts";
import { isObjectId, readPlain } from "./refs-text.ts";
import type { BareRepo } from "./repo.ts";
import { RESCUE } from "./rescue.ts";

const KEEP_MS = 30 * 24 * 3_600_000;

/**
 * Writes everything that only this cache has (branches, stashes, rescued work) to a file beside it, because the cache is
 * about to go. Returns the file, a git bundle: `git fetch <file> 'refs/*:refs/kept/*'` in a clone brings it back.
 */
export async function bundleWork(repo: BareRepo, clock: Clock): Promise<string> {
  const stashes = (readPlain(join(repo.path, "logs", "refs", "stash")) ?? "").split("\n").map((line) => line.split(" ")[1] ?? "").filter(isObjectId);
  // Only the newest has a name.
  const names = stashes.map((id, at) => `update ${RESCUE}stash/${at + 1} ${id}\n`).join("");
  if (names !== "") await repo.must("keep stashes: ", ["update-ref", "--stdin"], { input: names });
  const path = `${prefixOf(repo.path)}${Math.floor(clock.now() / 1000)}.bundle`;
  await repo.must("keep work: git bundle: ", ["bundle", "create", "--quiet", path, "--branches", "--glob=refs/multica/*", "--not", "--remotes=origin"]);
  return path;
}

/** Bundles of this workspace's dropped caches live as long as rescues do. */
export async function expireBundles(workspace: string, nowMs: number): Promise<void> {
  for (const name of readdirSync(workspace)) {
    if (!/\.dropped-\d+\.bundle$/.test(name)) continue;
    const path = join(workspace, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() === true && nowMs - stat.mtimeMs > KEEP_MS) await removeFile(path);
  }
}

function prefixOf(bare: string): string {
  return join(dirname(bare), `${bare.slice(dirname(bare).length + 1).replace(/\.git$/, "")}.dropped-`);
}
