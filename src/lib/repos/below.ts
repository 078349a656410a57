import { lstatSync, readdirSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { readPlain } from "./refs-text.ts";

/** An agent may check out anywhere below its directory; what lies deeper than this counts as not looked at. */
const MAX_DEPTH = 24;
const MAX_DIRECTORIES = 100_000;

/** The git directory of a checkout and the one it shares with others; the same for a repository of its own. Null: there is none. */
export function gitDirectories(path: string): { own: string; common: string } | null {
  const dotGit = join(path, ".git");
  const stat = lstatSync(dotGit, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return { own: dotGit, common: dotGit };
  const target = stat?.isFile() === true ? /^gitdir: (.+?)\s*$/.exec(readPlain(dotGit) ?? "")?.[1] : undefined;
  if (target === undefined) return null;
  const own = isAbsolute(target) ? target : resolve(path, target);
  if (lstatSync(own, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  const pointer = readPlain(join(own, "commondir"))?.trim();
  return { own, common: pointer === undefined ? own : resolve(own, pointer) };
}

/** Directories that hold a `.git`, links not followed; the inside of a checkout is looked through as well. `complete`: all was seen. */
export function findCheckouts(root: string): { checkouts: string[]; complete: boolean } {
  const checkouts: string[] = [];
  let seen = 0;
  const visit = (directory: string, depth: number): boolean => {
    seen += 1;
    if (seen > MAX_DIRECTORIES) return false;
    if (lstatSync(join(directory, ".git"), { throwIfNoEntry: false }) !== undefined) checkouts.push(directory);
    if (depth === MAX_DEPTH) return directoriesIn(directory).length === 0;
    return directoriesIn(directory).every((name) => visit(join(directory, name), depth + 1));
  };
  const complete = lstatSync(root, { throwIfNoEntry: false })?.isDirectory() === true ? visit(root, 0) : true;
  return { checkouts, complete };
}

function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== ".git" && entry.name !== "node_modules")
    .map((entry) => entry.name);
}
