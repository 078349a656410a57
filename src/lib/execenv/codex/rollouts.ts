import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * True when the home's sessions hold a rollout of this thread, flat or under `YYYY/MM/DD` (execenv.md 7.7).
 * Names alone decide: no file is opened. Newest years first, since a resumed thread is mostly a recent one.
 */
export function hasRollout(codexHome: string, threadId: string): boolean {
  if (!/^[A-Za-z0-9_-]+$/.test(threadId)) return false;
  const tails = [`-${threadId}.jsonl`, `-${threadId}.jsonl.zst`];
  const search = (directory: string, depth: number): boolean => {
    const entries = list(directory);
    if (entries.some((entry) => isRollout(entry.name, tails))) return true;
    if (depth === 0) return false;
    return entries
      .filter((entry) => entry.isDirectory() && /^\d+$/.test(entry.name))
      .sort((a, b) => (a.name < b.name ? 1 : -1))
      .some((entry) => search(join(directory, entry.name), depth - 1));
  };
  return search(join(codexHome, "sessions"), 3);
}

function isRollout(name: string, tails: readonly string[]): boolean {
  return name.startsWith("rollout-") && tails.some((tail) => name.endsWith(tail));
}

function list(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
