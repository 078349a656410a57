import type { ImportResult } from "../cli/skill-import.ts";
import type { SkillFile } from "../lib/api/user-api-skill.ts";
import type { CatalogueEntry, Skill, TaskRow } from "../lib/wire/index.ts";
import { cutText, tableText, timeText } from "./table.ts";

/** `skill list` and `skill get`. */
export function skillTable(skills: readonly Skill[]): string {
  return tableText(
    ["ID", "NAME", "DESCRIPTION", "CREATED_AT"],
    skills.map((one) => [one.id, one.name, cutText(one.description, 60), timeText(one.created_at, 10)]),
  );
}

/** `skill search`. */
export function catalogueTable(entries: readonly CatalogueEntry[]): string {
  return tableText(
    ["NAME", "URL", "SOURCE", "INSTALLS", "DESCRIPTION"],
    entries.map((one) => [one.name, one.url, one.source, one.install_count, cutText(one.description, 60)]),
  );
}

/** `skill import`. */
export function importTable(result: ImportResult): string {
  const skill = result.skill ?? result.existing_skill;
  return tableText(["STATUS", "NAME", "ID"], [[result.status, skill?.name, skill?.id]]);
}

/** `agent skills …`. */
export function agentSkillTable(skills: readonly Skill[]): string {
  return tableText(["ID", "NAME", "DESCRIPTION"], skills.map((one) => [one.id, one.name, cutText(one.description, 60)]));
}

/** `skill files list`. */
export function skillFileTable(files: readonly SkillFile[]): string {
  return tableText(
    ["ID", "PATH", "CREATED_AT", "UPDATED_AT"],
    files.map((one) => [one.id, one.path, timeText(one.created_at, 16), timeText(one.updated_at, 16)]),
  );
}

/** `agent tasks`. */
export function agentTaskTable(tasks: readonly TaskRow[]): string {
  return tableText(
    ["ID", "ISSUE_ID", "STATUS", "CREATED_AT"],
    tasks.map((one) => [one.id, one.issue_id, one.status, timeText(one.created_at, 16)]),
  );
}

/** `agent env get`, sorted by name. */
export function envTable(env: Readonly<Record<string, string>>): string {
  return tableText(["KEY", "VALUE"], Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)));
}
