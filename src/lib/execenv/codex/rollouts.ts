import { type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * True when the home's sessions hold a rollout of this thread, flat or under `YYYY/MM/DD` (execenv.md 7.7).
 * Names alone decide: no file is opened. Newest numbered first, since a resumed thread is mostly a recent one.
 */
export function hasRollout(codexHome: string, threadId: string): boolean {
  return rolloutIn(codexHome, threadId) !== null;
}

/** Path of that rollout, or null. */
export function rolloutIn(codexHome: string, threadId: string): string | null {
  if (!/^[A-Za-z0-9_-]+$/.test(threadId)) return null;
  const tails = [`-${threadId}.jsonl`, `-${threadId}.jsonl.zst`];
  const search = (directory: string, depth: number): string | null => {
    const entries = list(directory);
    const here = entries.find((entry) => isRollout(entry.name, tails));
    if (here !== undefined) return join(directory, here.name);
    const numbered = depth === 0 ? [] : entries.filter((entry) => entry.isDirectory() && /^\d+$/.test(entry.name)).sort((a, b) => (a.name < b.name ? 1 : -1));
    for (const entry of numbered) {
      const found = search(join(directory, entry.name), depth - 1);
      if (found !== null) return found;
    }
    return null;
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
