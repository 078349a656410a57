import { parseJson } from "../../core/index.ts";
import type { Skill } from "../../wire/index.ts";
import { isoSeconds } from "./time.ts";

export interface SkillRow {
  id: string;
  workspace_id: string;
  name: string;
  description: string;
  content: string;
  config: string;
  created_by: string | null;
  created_at: number;
  updated_at: number;
}

export interface SkillFileRow {
  id: string;
  skill_id: string;
  path: string;
  content: string;
  created_at: number;
  updated_at: number;
}

/** A skill as lists carry it: without its text (server-api.md 13.11). */
export function skillSummary(row: SkillRow): Skill {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    name: row.name,
    description: row.description,
    config: parseJson(row.config) ?? {},
    created_by: row.created_by,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}

/** A skill with its text and files. */
export function skillWire(row: SkillRow, files: readonly SkillFileRow[]): Skill {
  return { ...skillSummary(row), content: row.content, files: files.map(skillFileWire) };
}

export function skillFileWire(row: SkillFileRow) {
  return {
    id: row.id,
    skill_id: row.skill_id,
    path: row.path,
    content: row.content,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}
