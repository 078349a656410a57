import { lstatSync, readdirSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../core/index.ts";
import { chmodPath, removeTree } from "./fs.ts";

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

/** Copies a tree to where nothing is or an empty directory; links are copied as they are, times are kept. */
export async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, errorOnExist: true, force: false });
}

async function openUp(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  await chmodPath(path, 0o700);
  for (const name of namesIn(path)) await openUp(join(path, name));
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
