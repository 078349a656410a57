import { CONFLICT_RULES, type ConflictRule } from "../../../wire/index.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import type { SkillRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { mayChange, requirePerson } from "../ownership.ts";
import { type SkillOrigin, withOrigin } from "./origin.ts";
import { MAX_SKILL_NAME, SKILL_TAKEN, createSkill, findSkillByName, showSkill, updateSkill } from "./skills.ts";
import type { UnpackedSkill } from "./unpack.ts";

const MAX_TRIES = 100;

export interface ImportAnswer {
  readonly status: number;
  readonly body: object;
}

/** The rule a request names, or undefined: then the answer has the older form. 400 for any other word. */
export function conflictRule(text: string | undefined): ConflictRule | undefined {
  if (text === undefined || text === "") return undefined;
  const rule = CONFLICT_RULES.find((one) => one === text);
  if (rule === undefined) throw badRequest(`invalid on_conflict ${JSON.stringify(text)}; valid values: ${CONFLICT_RULES.join(", ")}`);
  return rule;
}

/** Makes a skill of what was unpacked, or does with the one that has its name what the rule says (server-api.md 13.11). */
export function importInto(tx: Tx, scope: Scope, skill: UnpackedSkill, origin: SkillOrigin, rule: ConflictRule | undefined): ImportAnswer {
  const { name, description, content, files, skipped } = skill;
  const input = { name, description, content, files: files.map((file) => ({ ...file })), config: withOrigin(undefined, origin) };
  const owner = { workspaceId: scope.workspace.id, userId: requirePerson(tx.db, scope) };
  const left = skipped.length === 0 ? {} : { skipped };
  const existing = findSkillByName(tx.db, owner.workspaceId, name.trim());
  const show = (id: string): object => showSkill(tx.db, owner.workspaceId, id);
  if (existing === undefined || rule === "rename") {
    const id = createSkill(tx, owner, existing === undefined ? input : { ...input, name: freeName(tx, owner.workspaceId, existing.name) });
    return { status: 201, body: rule === undefined ? show(id) : { status: "created", skill: show(id), ...left } };
  }
  const facts = { existing_skill: existingSkill(tx, scope, existing) };
  switch (rule) {
    case undefined:
      throw new HttpError(409, SKILL_TAKEN);
    case "fail":
      return { status: 409, body: { status: "conflict", error: SKILL_TAKEN, reason: SKILL_TAKEN, ...facts } };
    case "skip":
      return { status: 200, body: { status: "skipped", reason: SKILL_TAKEN, ...facts } };
    case "overwrite": {
      const refused = "insufficient permissions";
      if (!facts.existing_skill.can_overwrite) return { status: 403, body: { status: "failed", error: refused, reason: refused, ...facts } };
      updateSkill(tx, existing, { ...input, config: withOrigin(existing.config, origin) });
      return { status: 200, body: { status: "updated", skill: show(existing.id), ...left } };
    }
  }
}

/** What went wrong in the form that a client with a rule understands; others get the error itself. */
export function importFailure(error: unknown, rule: ConflictRule | undefined): ImportAnswer {
  if (rule === undefined || !(error instanceof HttpError)) throw error;
  // What an address answered is not a failure of this server.
  return { status: error.status === 502 ? 422 : error.status, body: { status: "failed", error: error.message, reason: error.message } };
}

function existingSkill(tx: Tx, scope: Scope, row: SkillRow) {
  return { id: row.id, name: row.name, created_by: row.created_by, can_overwrite: mayChange(tx.db, scope, row.created_by) };
}

/** `name-2`, `name-3`, …: the first that is free. */
function freeName(tx: Tx, workspaceId: string, name: string): string {
  for (let number = 2; number <= MAX_TRIES; number += 1) {
    const end = `-${number}`;
    const candidate = `${[...name].slice(0, MAX_SKILL_NAME - end.length).join("")}${end}`;
    if (findSkillByName(tx.db, workspaceId, candidate) === undefined) return candidate;
  }
  throw new HttpError(409, SKILL_TAKEN);
}
