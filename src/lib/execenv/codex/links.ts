import { lstat, readlink } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../../core/index.ts";
import { createLink, ensureDir, pathExists, realPathIfExists } from "../../platform/index.ts";

export type EntryState = "absent" | "right-link" | "wrong-link" | "file" | "directory";

/** What is at `path`, seen as a place for a link to `target`. Right: the same text, or the same real path. */
async function entryState(path: string, target: string): Promise<EntryState> {
  try {
    const facts = await lstat(path);
    if (facts.isDirectory()) return "directory";
    if (!facts.isSymbolicLink()) return "file";
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return "absent";
    throw error;
  }
  if ((await readlink(path)) === target) return "right-link";
  const real = realPathIfExists(path);
  return real !== undefined && real === realPathIfExists(target) ? "right-link" : "wrong-link";
}

/**
 * Links `path` to the shared directory, which is created when missing. A real file or directory in the way is left as
 * it is: it may hold the only copy of a conversation. Returns what was found.
 */
export async function linkDirectory(path: string, target: string): Promise<EntryState> {
  const state = await entryState(path, target);
  if (state === "file" || state === "directory") return state;
  await ensureDir(target);
  if (state === "right-link") return state;
  await ensureDir(dirname(path));
  await createLink(target, path);
  return state;
}

/** Links `path` to a shared file when that file exists; anything but a link in the way is left as it is. */
export async function linkFile(path: string, target: string): Promise<EntryState> {
  const state = await entryState(path, target);
  if ((state === "absent" || state === "wrong-link") && (await pathExists(target))) await createLink(target, path);
  return state;
}
