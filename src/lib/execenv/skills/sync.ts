import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureConfinedDir, lookConfined, removeConfined, writeConfined } from "../confined.ts";
import { readRegularFile } from "../../platform/index.ts";
import { type SkillTree, renderSkills } from "./render.ts";
import type { PlacedSkill, SkillFact } from "./types.ts";

export interface SyncSkillsInput {
  /** Absolute directory that nothing may leave; no link on the way below it is followed. */
  readonly base: string;
  /** The skills directory, relative to `base`. */
  readonly directory: string;
  readonly skills: readonly SkillFact[];
  /** Directory names there that an earlier sync made. */
  readonly own: readonly string[];
  /**
   * Called with all names that are ours from now on (old and new), before the first change: must be durable when it
   * resolves, so that after a crash the next sync knows them. Called once more with the final names when some went away.
   */
  readonly claim: (slugs: readonly string[]) => Promise<void>;
}

/**
 * Makes the skills directory hold exactly these skills besides whatever others put there (execenv.md 9.2, 9.5): ours are
 * replaced when a byte differs or a file was added, removed when no longer wanted, and untouched when right. A directory
 * that is not ours is never written to. Throws `skill_invalid`, `env_symlinked`.
 */
export async function syncSkills(input: SyncSkillsInput): Promise<PlacedSkill[]> {
  const { base, directory, own } = input;
  const mine = new Set(own);
  const trees = await renderSkills(input.skills, async (slug) => !mine.has(slug) && (await lookConfined(base, join(directory, slug))) !== undefined);
  const wanted = new Map(trees.map((tree) => [tree.slug, tree]));
  const gone = own.filter((slug) => !wanted.has(slug));
  const differing: SkillTree[] = [];
  for (const tree of trees) if (!(await isCurrent(base, join(directory, tree.slug), tree))) differing.push(tree);
  const known = [...wanted.keys()].every((slug) => mine.has(slug));
  if (!known || gone.length > 0) await input.claim([...new Set([...own, ...wanted.keys()])]);
  for (const slug of gone) await removeConfined(base, join(directory, slug));
  for (const tree of differing) await rewrite(base, join(directory, tree.slug), tree);
  if (gone.length > 0) await input.claim([...wanted.keys()]);
  return trees.map(({ name, slug, advertised }) => ({ name, slug, advertised }));
}

async function rewrite(base: string, directory: string, tree: SkillTree): Promise<void> {
  await removeConfined(base, directory);
  await ensureConfinedDir(base, directory);
  for (const file of tree.files) await writeConfined(base, join(directory, ...file.path.split("/")), file.content);
}

/** True when the directory holds our files byte for byte and nothing else. */
async function isCurrent(base: string, directory: string, tree: SkillTree): Promise<boolean> {
  const facts = await lookConfined(base, directory);
  if (facts?.isDirectory() !== true) return false;
  const wanted = new Map(tree.files.map((file) => [join(...file.path.split("/")), file.content]));
  const present = await filesBelow(join(base, directory));
  if (present === null || present.length !== wanted.size) return false;
  for (const path of present) {
    const content = wanted.get(path);
    if (content === undefined || (await readRegularFile(join(base, directory, path)))?.equals(Buffer.from(content)) !== true) return false;
  }
  return true;
}

/** Relative paths of all regular files; null when anything else (a link, a socket) is among them. */
async function filesBelow(root: string, prefix = ""): Promise<string[] | null> {
  const files: string[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isFile()) files.push(path);
    else if (!entry.isDirectory()) return null;
    else {
      const inner = await filesBelow(root, path);
      if (inner === null) return null;
      files.push(...inner);
    }
  }
  return files;
}
