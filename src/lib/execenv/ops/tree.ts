import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

/** Directories between two breaths: a tree of a million files must not hold up a daemon's heartbeats. */
const BREATH = 64;

/** Visits every directory below `root`, `root` included; what `visit` returns comes next. Links are not followed. */
async function walk(root: string, visit: (directory: string, entries: readonly Dirent[]) => readonly string[]): Promise<void> {
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const open = [root];
  for (let seen = 1, directory = open.pop(); directory !== undefined; seen += 1, directory = open.pop()) {
    open.push(...visit(directory, entriesOf(directory)));
    if (seen % BREATH === 0) await setImmediate();
  }
}

/** Bytes of all regular files below a path, links not followed; what cannot be read counts as nothing. */
export async function treeBytes(path: string): Promise<number> {
  let total = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? lstatSync(path).size : 0;
  await walk(path, (directory, entries) => {
    for (const entry of entries) if (entry.isFile()) total += lstatSync(join(directory, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  });
  return total;
}

/** Bytes of several trees together. */
export async function bytesOf(paths: readonly string[]): Promise<number> {
  let total = 0;
  for (const path of paths) total += await treeBytes(path);
  return total;
}

/** Directories below `root` with one of these names, outermost only; never inside `.git`, never behind a link. */
export async function findArtifacts(root: string, names: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = [];
  await walk(root, (directory, entries) => {
    const directories = entries.filter((entry) => entry.isDirectory() && entry.name !== ".git");
    for (const entry of directories) if (names.has(entry.name)) found.push(join(directory, entry.name));
    return directories.filter((entry) => !names.has(entry.name)).map((entry) => join(directory, entry.name));
  });
  return found;
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
