import { isUniqueViolation } from "../../../platform/index.ts";
import type { SkillInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import { type SkillRow, skillSummary, skillWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { checkedFiles, filesOf, replaceFiles } from "./files.ts";

export const SKILL_TAKEN = "a skill with this name already exists";
export const MAX_SKILL_NAME = 64;
const MAX_DESCRIPTION = 1024;

/** The workspace's skills by name, without their texts (server-api.md 13.11). */
export function listSkills(db: Tx["db"], workspaceId: string): object[] {
  return all<SkillRow>(db, "SELECT * FROM skill WHERE workspace_id = :workspaceId ORDER BY name", { workspaceId }).map(skillSummary);
}

/** The skill within its workspace; 404 `skill not found`. */
export function loadSkill(db: Tx["db"], workspaceId: string, id: string): SkillRow {
  const row = one<SkillRow>(db, "SELECT * FROM skill WHERE id = :id AND workspace_id = :workspaceId", { id, workspaceId });
  if (row === undefined) throw notFound("skill");
  return row;
}

export function findSkillByName(db: Tx["db"], workspaceId: string, name: string): SkillRow | undefined {
  return one<SkillRow>(db, "SELECT * FROM skill WHERE workspace_id = :workspaceId AND name = :name", { workspaceId, name });
}

export function showSkill(db: Tx["db"], workspaceId: string, id: string): object {
  return skillWire(loadSkill(db, workspaceId, id), filesOf(db, id));
}

/** Creates a skill and returns its id. Throws 400, and 409 when the name is taken. */
export function createSkill(tx: Tx, owner: { readonly workspaceId: string; readonly userId: string }, input: SkillInput): string {
  const id = tx.newId();
  const columns = checked({ ...input, name: input.name ?? "" });
  const files = checkedFiles(input.files ?? []);
  const row = { id, workspace_id: owner.workspaceId, created_by: owner.userId, ...columns, created_at: tx.now, updated_at: tx.now };
  uniqueName(() => insert(tx.db, "skill", row));
  replaceFiles(tx, id, files);
  return id;
}

/** Partial update; present `files` replace all of them. */
export function updateSkill(tx: Tx, skill: SkillRow, input: SkillInput): void {
  const columns = checked(input);
  const files = input.files === undefined ? undefined : checkedFiles(input.files);
  uniqueName(() => update(tx.db, "skill", skill.id, { ...columns, updated_at: tx.now }));
  if (files !== undefined) replaceFiles(tx, skill.id, files);
}

export function deleteSkill(tx: Tx, id: string): void {
  run(tx.db, "DELETE FROM skill WHERE id = :id", { id });
}

/** A change of a skill's files is a change of the skill. */
export function touchSkill(tx: Tx, id: string): void {
  update(tx.db, "skill", id, { updated_at: tx.now });
}

function checked(input: SkillInput): Record<string, string> {
  const columns: Record<string, string> = {};
  if (input.name !== undefined) {
    const name = input.name.trim();
    if (name === "") throw badRequest("name is required");
    if ([...name].length > MAX_SKILL_NAME || /[\r\n]/.test(name)) throw badRequest(`name must be one line of at most ${MAX_SKILL_NAME} characters`);
    columns["name"] = name;
  }
  if (input.description !== undefined) {
    columns["description"] = input.description ?? "";
    if ([...columns["description"]].length > MAX_DESCRIPTION) throw badRequest(`description exceeds ${MAX_DESCRIPTION} characters`);
  }
  if (input.content !== undefined) columns["content"] = input.content ?? "";
  if (input.config !== undefined) columns["config"] = JSON.stringify(input.config ?? {});
  return columns;
}

function uniqueName(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, SKILL_TAKEN, { cause: error });
    throw error;
  }
}
