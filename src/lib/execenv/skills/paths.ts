import { posix } from "node:path";
import { MulticaError } from "../../core/index.ts";
import type { SkillFact, SkillFile } from "./types.ts";

export const SKILL_FILE = "SKILL.md";

/**
 * The supporting files that may be written for a skill. One that would replace the main document is left out; a path
 * that could leave the skill's directory, or two files on one place (also where case does not count), make the whole
 * skill unusable: `skill_invalid` (execenv.md 9.4).
 */
export function usableFiles(skill: SkillFact): SkillFile[] {
  const files = (skill.files ?? []).filter((file) => !isReserved(file.path));
  const taken = new Map<string, string>([[foldCase(SKILL_FILE), SKILL_FILE]]);
  for (const { path } of files) {
    const fault = pathFault(path);
    if (fault !== null) throw invalid(skill, path, fault);
    const key = foldCase(path);
    const other = taken.get(key);
    if (other !== undefined) throw invalid(skill, path, `it lies on the same place as ${JSON.stringify(other)}`);
    taken.set(key, path);
  }
  for (const [key, path] of taken) {
    for (let parent = posix.dirname(key); parent !== "."; parent = posix.dirname(parent)) {
      const other = taken.get(parent);
      if (other !== undefined) throw invalid(skill, path, `${JSON.stringify(other)} is a file, not a directory`);
    }
  }
  return files;
}

function isReserved(path: string): boolean {
  return !posix.isAbsolute(path) && foldCase(posix.normalize(path)) === foldCase(SKILL_FILE);
}

function pathFault(path: string): string | null {
  if (path === "") return "it is empty";
  if (path.includes("\0")) return "it holds a NUL";
  if (path.includes("\\")) return "it holds a backslash";
  if (posix.isAbsolute(path)) return "it is absolute";
  if (path === "." || path === ".." || path.startsWith("../")) return "it leaves the skill's directory";
  if (posix.normalize(path) !== path || path.endsWith("/")) return "it is not in its plain form";
  return null;
}

/** macOS keeps `A` and `a` on one place, and composed and decomposed letters too. */
function foldCase(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function invalid(skill: SkillFact, path: string, why: string): MulticaError {
  return new MulticaError("skill_invalid", `the skill ${JSON.stringify(skill.name)} cannot be installed: its file ${JSON.stringify(path)}: ${why}`);
}
