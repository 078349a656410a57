import { dirname, join } from "node:path";
import { errorText } from "../../core/index.ts";
import { removeFile } from "../../platform/index.ts";
import { lockRoot } from "../claim.ts";
import { lookConfined, readConfined } from "../confined.ts";
import { wantedFiles } from "../context/files.ts";
import { MARKER } from "../layout.ts";
import { isOwnMarker, renderTaskMarker } from "../markers.ts";
import { surveyRoot } from "../ops/survey.ts";
import { providerFiles } from "../providers.ts";
import { type PlacedSkill, renderSkills } from "../skills/index.ts";
import type { PrepareInput } from "../types.ts";
import { leaveLocalDirectory } from "./leave.ts";
import { type Sidecar, placeSidecars } from "./place.ts";

/**
 * Puts a task's marker, context files and skills into the user's directory (execenv.md 5, 11.2). What an execution that
 * died left there is taken away first. Skills that the user has under the same name keep theirs, ours step aside.
 */
export async function enterLocalDirectory(envRoot: string, base: string, input: PrepareInput): Promise<PlacedSkill[]> {
  // The marker's directory is the first thing that is made here.
  if ((await lookConfined(base, dirname(MARKER))) !== undefined) await clearLeftovers(envRoot, base, input);
  const sidecars: Sidecar[] = [{ path: MARKER, data: renderTaskMarker(input.task), optional: false }];
  for (const [path, data] of wantedFiles(input.task)) sidecars.push({ path, data, optional: true });
  const directory = providerFiles(input.provider).skills;
  const place = (slug: string): string => join(...(directory ?? "").split("/"), slug);
  const skills = directory === null ? [] : await renderSkills(input.task.skills ?? [], async (slug) => (await lookConfined(base, place(slug))) !== undefined);
  for (const skill of skills) {
    for (const file of skill.files) sidecars.push({ path: join(place(skill.slug), ...file.path.split("/")), data: file.content, optional: false });
  }
  await placeSidecars(envRoot, base, sidecars);
  return skills.map(({ name, slug, advertised }) => ({ name, slug, advertised }));
}

/** The caller holds the directory alone, so a marker in it is that of an execution that could not clean up. */
async function clearLeftovers(envRoot: string, base: string, input: PrepareInput): Promise<void> {
  const others = surveyRoot(input.workspacesRoot, { nowMs: input.now() }).filter((env) => env.local_directory === base && env.path !== envRoot);
  for (const env of others) {
    const lock = await lockRoot(env.path).catch(() => null);
    if (lock === null) continue;
    try {
      await leaveLocalDirectory(env.path);
    } catch (error) {
      input.logger.warn("what an earlier task left in the local directory was not removed", { path: env.path, error: errorText(error) });
    } finally {
      lock.release();
    }
  }
  // No manifest names it any more: the marker says itself whose it is.
  const text = await readConfined(base, MARKER);
  if (text !== undefined && isOwnMarker(text)) await removeFile(join(base, MARKER));
}
