import { lstatSync } from "node:fs";
import { join } from "node:path";
import { ensureDir, readTextIfExists, writeFileAtomic } from "../platform/index.ts";

/** Ours alone: the environment's other files lie in the parent directory, and a `CLAUDE.md` may be what was asked for. */
const PATTERNS = ["/.agent_context/", "/.multica/"];

/**
 * Adds our patterns to `info/exclude` of a git directory, each once. For a linked checkout that is the cache's: git
 * ignores the one of the worktree itself (repocache.md 12, 18 b). A failure is nothing to stop a task for: false.
 */
export async function writeExcludes(gitDir: string): Promise<boolean> {
  const directory = join(gitDir, "info");
  const file = join(directory, "exclude");
  try {
    await ensureDir(directory);
    const isRegular = (path: string, want: "isFile" | "isDirectory"): boolean => lstatSync(path, { throwIfNoEntry: false })?.[want]() ?? false;
    // An agent may have put a link here; what it points to is not ours to read or write.
    if (!isRegular(directory, "isDirectory") || (lstatSync(file, { throwIfNoEntry: false }) !== undefined && !isRegular(file, "isFile"))) return false;
    const text = (await readTextIfExists(file)) ?? "";
    const lines = new Set(text.split("\n").map((line) => line.trim()));
    const missing = PATTERNS.filter((pattern) => !lines.has(pattern));
    if (missing.length === 0) return true;
    const start = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    await writeFileAtomic(file, `${start}${missing.join("\n")}\n`, { durable: false });
    return true;
  } catch {
    return false;
  }
}
