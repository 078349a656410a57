export { renderSkills } from "./render.ts";
export { type SyncSkillsInput, syncSkills } from "./sync.ts";
export type { PlacedSkill, SkillFact, SkillFile } from "./types.ts";
