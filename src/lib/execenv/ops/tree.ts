import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../core/index.ts";
import { chmodPath, removeTree } from "../../platform/index.ts";

/** Bytes of all regular files below a path, links not followed; what cannot be read counts as nothing. */
export function treeBytes(path: string): number {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return 0;
  if (!facts.isDirectory()) return facts.isFile() ? facts.size : 0;
  let total = 0;
  for (const name of namesOf(path)) total += treeBytes(join(path, name));
  return total;
}

/** Directories below `root` with one of these names, outermost only; never inside `.git`, never behind a link. */
export function findArtifacts(root: string, names: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name === ".git") continue;
      const path = join(directory, entry.name);
      if (names.has(entry.name)) found.push(path);
      else visit(path);
    }
  };
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() === true) visit(root);
  return found;
}

/** Removes a tree, also one with directories that were made unwritable (build caches do that). Links are not followed. */
export async function removeStubborn(path: string): Promise<void> {
  try {
    await removeTree(path);
  } catch (error) {
    if (!["EACCES", "EPERM", "ENOTEMPTY"].includes(systemCode(error) ?? "")) throw error;
    await openUp(path);
    await removeTree(path);
  }
}

async function openUp(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  await chmodPath(path, 0o700);
  for (const name of namesOf(path)) await openUp(join(path, name));
}

function namesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
