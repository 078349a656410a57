import { isUuid, skillManifest, skillSource } from "../../../core/index.ts";
import type { SkillData, SkillRef } from "../../../wire/index.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { SkillFileRow, SkillRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { enabledSkills } from "./agent-skills.ts";
import { filesOf } from "./files.ts";

/** All skills here are the workspace's own; their ids are the rows'. */
const SOURCE = "workspace";

/**
 * The skills of a claim: references for a daemon that resolves them, whole bodies for one that does not
 * (server-api.md 1.4, 14.6). Nothing for an agent without skills.
 */
export function claimSkills(tx: Tx, agentId: string, capabilities: ReadonlySet<string>): { skill_refs?: SkillRef[]; skills?: SkillData[] } {
  const skills = enabledSkills(tx.db, agentId);
  if (skills.length === 0) return {};
  const bundles = skills.map((skill) => bundleOf(skill, filesOf(tx.db, skill.id)));
  return capabilities.has("skill-bundles-v1") ? { skill_refs: bundles.map(refOf) } : { skills: bundles };
}

/** The bundles a daemon asks for while it prepares the task, in its order, as they are now (server-api.md 7.3). */
export function resolveBundles(
  tx: Tx,
  task: TaskRow,
  wanted: readonly { readonly id: string; readonly source?: string | null | undefined }[],
): SkillData[] {
  if (task.status !== "dispatched" && task.status !== "waiting_local_directory") throw new HttpError(409, "task is not preparing");
  const skills = enabledSkills(tx.db, task.agent_id);
  return wanted.map((ref) => {
    const source = skillSource(ref.source, ref.id);
    if (!["workspace", "builtin", "plugin"].includes(source) || ref.id === "") throw badRequest("invalid skill ref");
    if (source === SOURCE && !isUuid(ref.id)) throw badRequest("invalid skill ref");
    const skill = source === SOURCE ? skills.find((one) => one.id === ref.id.toLowerCase()) : undefined;
    if (skill === undefined) throw notFound("skill bundle");
    return bundleOf(skill, filesOf(tx.db, skill.id));
  });
}

function bundleOf(skill: SkillRow, files: readonly SkillFileRow[]): SkillData {
  const manifest = skillManifest({ ...skill, source: SOURCE, files });
  const texts = new Map(files.map((file) => [file.path, file.content]));
  return {
    id: skill.id,
    source: SOURCE,
    name: skill.name,
    description: skill.description,
    hash: manifest.hash,
    size_bytes: manifest.sizeBytes,
    content: skill.content,
    files: manifest.files.map((file) => ({ path: file.path, content: texts.get(file.path) ?? "", sha256: file.sha256, size_bytes: file.sizeBytes })),
  };
}

function refOf(bundle: SkillData): SkillRef {
  const files = (bundle.files ?? []).map((file) => ({ path: file.path, sha256: file.sha256 ?? "", size_bytes: file.size_bytes ?? 0 }));
  return {
    id: bundle.id ?? "",
    source: SOURCE,
    name: bundle.name,
    description: bundle.description ?? "",
    hash: bundle.hash ?? "",
    size_bytes: bundle.size_bytes ?? 0,
    file_count: files.length,
    files,
  };
}
