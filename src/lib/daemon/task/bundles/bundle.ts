import { MulticaError, skillManifest, skillSource } from "../../../core/index.ts";
import type { SkillFact } from "../../../execenv/index.ts";
import type { SkillData, SkillRef } from "../../../wire/index.ts";

/** What a claim wants: a skill by name and hash, with nothing left open. */
export interface WantedSkill {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly hash: string;
  /** As the claim says; 0 = it does not. */
  readonly sizeBytes: number;
  /** The reference as it goes back to the server. */
  readonly ref: SkillRef;
}

/** A bundle whose content was proved to be what its hash says. */
export interface Bundle {
  readonly data: SkillData;
  readonly hash: string;
}

export function wantedSkill(ref: SkillRef): WantedSkill {
  return { id: ref.id, source: skillSource(ref.source, ref.id), name: ref.name, hash: ref.hash, sizeBytes: ref.size_bytes ?? 0, ref };
}

/**
 * Checks a bundle against itself and against who was asked for: identity, file paths, and every hash and size it states
 * (daemon.md 11.7, server-api.md 7.4). Throws `skill_bundle` naming the first misfit.
 */
export function verifyBundle(data: SkillData, wanted: WantedSkill): Bundle {
  const id = data.id ?? "";
  const source = skillSource(data.source, id);
  if (id !== wanted.id || source !== wanted.source) throw misfit(`it is the skill ${source}/${id}`);
  const files = data.files ?? [];
  for (const file of files) if (!isPlainPath(file.path)) throw misfit(`its file ${JSON.stringify(file.path)} has no plain relative path`);
  const manifest = skillManifest({ source, id, name: data.name, description: data.description ?? "", content: data.content, files });
  if (stated(data.hash) && data.hash !== manifest.hash) throw misfit(`it says ${data.hash} of itself and is ${manifest.hash}`);
  if (stated(data.size_bytes) && data.size_bytes !== manifest.sizeBytes) throw misfit(`it says to have ${data.size_bytes} bytes and has ${manifest.sizeBytes}`);
  for (const file of files) {
    const real = manifest.files.find(({ path }) => path === file.path);
    if (stated(file.sha256) && file.sha256 !== real?.sha256) throw misfit(`its file ${JSON.stringify(file.path)} is another one than it says`);
    if (stated(file.size_bytes) && file.size_bytes !== real?.sizeBytes) throw misfit(`its file ${JSON.stringify(file.path)} has another size than it says`);
  }
  return { data: { ...data, id, source }, hash: manifest.hash };
}

/** The skill in the words of the environment. */
export function skillFact({ data }: Bundle): SkillFact {
  return {
    name: data.name,
    description: data.description ?? "",
    content: data.content,
    files: (data.files ?? []).map(({ path, content }) => ({ path, content })),
  };
}

function isPlainPath(path: string): boolean {
  if (path.includes("\\") || path.includes("\0")) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function stated<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined && value !== "";
}

function misfit(why: string): MulticaError {
  return new MulticaError("skill_bundle", `the bundle cannot be trusted: ${why}`);
}
