import { isAbsolute, join } from "node:path";
import { sanitizeSkillName } from "../../core/index.ts";
import type { DisabledSkill } from "../types.ts";
import { inlineToml } from "./config/inline.ts";

/**
 * The `SKILL.md` of each, for Codex to leave out (execenv.md 7.8). A key that a skill of the workspace took over, or that
 * leads out of its root, counts for nothing.
 */
export function disabledPaths(skills: readonly DisabledSkill[], place: { codexHome: string; userHome: string; workspaceSkills: readonly string[] }): string[] {
  const claimed = new Set(place.workspaceSkills.map(sanitizeSkillName));
  const roots = { provider: join(place.codexHome, "skills"), universal: join(place.userHome, ".agents", "skills") };
  const paths = skills.flatMap(({ root, key }) => {
    const parts = key.split(/[/\\]/);
    if (key === "" || isAbsolute(key) || key.includes("\0") || parts.some((part) => part === ".." || part === "." || part === "")) return [];
    return claimed.has(sanitizeSkillName(key)) ? [] : [join(roots[root], key, "SKILL.md")];
  });
  return [...new Set(paths)].sort();
}

/** Codex refuses an entry that lacks one of the two keys. */
export function disabledLines(paths: readonly string[]): string[] {
  return paths.flatMap((path, index) => [...(index === 0 ? [] : [""]), "[[skills.config]]", `path = ${inlineToml(path)}`, "enabled = false"]);
}
