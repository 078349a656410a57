import { MulticaError, sanitizeSkillName } from "../../core/index.ts";
import { withSkillName } from "./frontmatter.ts";
import { SKILL_FILE, usableFiles } from "./paths.ts";
import type { PlacedSkill, SkillFact, SkillFile } from "./types.ts";

const MAX_TRIES = 64;

export interface SkillTree extends PlacedSkill {
  /** Every file, `SKILL.md` first; paths below the skill's directory. */
  readonly files: readonly SkillFile[];
}

/**
 * Gives every skill a directory name nobody else has and renders its files (execenv.md 9.2): the first of `x`,
 * `x-multica`, `x-multica-2`, … that neither an earlier skill nor `isTaken` claims. Throws `skill_invalid`.
 */
export async function renderSkills(skills: readonly SkillFact[], isTaken: (slug: string) => Promise<boolean>): Promise<SkillTree[]> {
  const trees: SkillTree[] = [];
  const used = new Set<string>();
  for (const skill of skills) {
    const files = usableFiles(skill);
    const slug = await freeSlug(skill.name, async (candidate) => used.has(candidate) || (await isTaken(candidate)));
    used.add(slug);
    const document = withSkillName(skill.content, slug, skill.description);
    trees.push({ name: skill.name, slug, advertised: document.advertised, files: [{ path: SKILL_FILE, content: document.text }, ...files] });
  }
  return trees;
}

async function freeSlug(name: string, isTaken: (slug: string) => Promise<boolean>): Promise<string> {
  const base = sanitizeSkillName(name).slice(0, 200);
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const candidate = attempt === 0 ? base : attempt === 1 ? `${base}-multica` : `${base}-multica-${attempt}`;
    if (!(await isTaken(candidate))) return candidate;
  }
  throw new MulticaError("skill_invalid", `the skill ${JSON.stringify(name)} finds no free directory name: ${base} and ${MAX_TRIES - 1} others are taken`);
}
