import type { ImportedSkill } from "../../../wire/index.ts";
import { one } from "../../db/query.ts";
import { HttpError } from "../../http-error.ts";
import { type RuntimeRequestRow, type RuntimeRow, type SkillRow, objectColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { SKILL_TAKEN, createSkill, findSkillByName, showSkill, updateSkill } from "../skills/skills.ts";
import { inputText } from "./store.ts";

export interface ImportOutcome {
  readonly status: "completed" | "failed" | "conflict";
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

/**
 * Makes a skill of what a daemon read from disk: new, or over the one its user named. A taken name is `conflict` for a
 * client that can ask back, else `failed`; so is a skill that is not valid here (server-api.md 9.4).
 */
export function importSkill(tx: Tx, runtime: RuntimeRow, row: RuntimeRequestRow, skill: ImportedSkill): ImportOutcome {
  const name = (inputText(row, "name") || skill.name).trim();
  const input = {
    name,
    description: inputText(row, "description") || (skill.description ?? ""),
    content: skill.content ?? "",
    files: (skill.files ?? []).map(({ path, content }) => ({ path, content })),
    config: { origin: { type: "runtime_local", runtime_id: runtime.id, provider: skill.provider ?? "", source_path: skill.source_path ?? "" } },
  };
  try {
    const target = targetOf(tx, runtime, row, name);
    if (target === "gone") return { status: "failed", error: "skill not found" };
    if (target === undefined) {
      const id = createSkill(tx, { workspaceId: runtime.workspace_id, userId: row.created_by }, input);
      return { status: "completed", result: { skill: showSkill(tx.db, runtime.workspace_id, id) } };
    }
    if (inputText(row, "action") !== "overwrite") return clash(row, target);
    if (!mayOverwrite(tx, row, target)) return { status: "failed", error: "insufficient permissions" };
    updateSkill(tx, target, { ...input, ...(inputText(row, "target_skill_id") === "" || inputText(row, "name") !== "" ? {} : { name: target.name }) });
    return { status: "completed", result: { skill: showSkill(tx.db, runtime.workspace_id, target.id) } };
  } catch (error) {
    if (error instanceof HttpError && error.status < 500) return { status: "failed", error: error.message };
    throw error;
  }
}

function targetOf(tx: Tx, runtime: RuntimeRow, row: RuntimeRequestRow, name: string): SkillRow | "gone" | undefined {
  const id = inputText(row, "target_skill_id");
  if (id === "") return findSkillByName(tx.db, runtime.workspace_id, name);
  const sql = "SELECT * FROM skill WHERE id = :id AND workspace_id = :workspaceId";
  return one<SkillRow>(tx.db, sql, { id, workspaceId: runtime.workspace_id }) ?? "gone";
}

function clash(row: RuntimeRequestRow, target: SkillRow): ImportOutcome {
  if (objectColumn(row.input)["supports_conflict"] !== true) return { status: "failed", error: SKILL_TAKEN };
  const existing = { id: target.id, name: target.name, created_by: target.created_by, can_overwrite: target.created_by === row.created_by };
  return { status: "conflict", error: SKILL_TAKEN, result: { existing_skill: existing } };
}

/** Who may change the skill by hand may overwrite it: its maker, and those who manage the workspace. */
function mayOverwrite(tx: Tx, row: RuntimeRequestRow, target: SkillRow): boolean {
  if (target.created_by === row.created_by) return true;
  const sql = "SELECT 1 FROM member WHERE workspace_id = :workspaceId AND user_id = :userId AND role <> 'member'";
  return one(tx.db, sql, { workspaceId: target.workspace_id, userId: row.created_by }) !== undefined;
}
