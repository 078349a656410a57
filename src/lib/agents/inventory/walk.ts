import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../core/index.ts";

const DEPTH = 4;
const IGNORED = new Set(["license", "license.md", "license.txt"]);

/** What is never part of a skill. */
export function isIgnored(name: string): boolean {
  return name === "" || name.startsWith(".") || IGNORED.has(name.toLowerCase());
}

export interface FoundSkill {
  /** Path below the root, `/`-separated. */
  readonly key: string;
  /** The directory, with links resolved. */
  readonly directory: string;
  /** The directory as it lies below the root. */
  readonly path: string;
}

/**
 * Every directory with a `SKILL.md` below `root`, at most four levels down, sorted by key. Links are followed; a directory
 * that was seen is not entered again. A missing root has none; another failure of the root itself is thrown.
 */
export async function findSkills(root: string): Promise<FoundSkill[]> {
  const found: FoundSkill[] = [];
  const seen = new Set<string>();
  const visit = async (path: string, segments: readonly string[]): Promise<void> => {
    const directory = await realpath(path);
    if (seen.has(directory)) return;
    seen.add(directory);
    if (segments.length > 0 && (await isFile(join(directory, "SKILL.md")))) {
      found.push({ key: segments.join("/"), directory, path });
      return;
    }
    if (segments.length >= DEPTH) return;
    for (const name of (await readdir(directory)).sort()) {
      if (isIgnored(name) || !(await isDirectory(join(directory, name)))) continue;
      // One that cannot be read is left out; the others count.
      await visit(join(path, name), [...segments, name]).catch(() => undefined);
    }
  };
  try {
    await visit(root, []);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then((facts) => facts.isFile(), () => false);
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then((facts) => facts.isDirectory(), () => false);
}
