import { type Dirent, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { systemCode } from "../../core/index.ts";
import { copyIfAbsent, ensureDir, linkFile } from "../../platform/index.ts";

/**
 * Gives the shared history every rollout of a real `sessions` directory that it does not have, at the same place. The
 * directory keeps its own names for them: nothing can be lost on the way. Links in it are not followed.
 */
export async function adoptRollouts(from: string, to: string): Promise<void> {
  for (const path of rolloutsBelow(from)) {
    await shareFile(path, join(to, relative(from, path)));
  }
}

/** Absolute paths of the regular files that are named like rollouts, at most three directories deep. */
export function rolloutsBelow(directory: string, depth = 3): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return depth > 0 ? rolloutsBelow(path, depth - 1) : [];
    return entry.isFile() && /^rollout-.+\.jsonl(\.zst)?$/.test(entry.name) ? [path] : [];
  });
}

/** One file under two names where the volume allows it: a rollout can be gigabytes. What is there already stays. */
async function shareFile(from: string, to: string): Promise<void> {
  await ensureDir(dirname(to));
  if (!(await linkFile(from, to))) await copyIfAbsent(from, to);
}
