import { relative } from "node:path";
import { sha256Hex, systemCode } from "../../core/index.ts";
import { readRegularFile, removeEmptyDirectory, removeFile } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { type SidecarManifest, removeManifest } from "./manifest.ts";

/**
 * Takes our files out of a user's directory and then our directories, as far as they are empty (execenv.md 11.2): what
 * somebody put into them stays. Goes on after a failure; the first one is thrown at the end, and the manifest is then
 * kept for another try. Nothing behind a planted link is removed.
 */
export async function removeSidecars(envRoot: string, manifest: SidecarManifest): Promise<void> {
  const { base } = manifest;
  const failures: unknown[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const intent of manifest.intents) {
    await attempt(() => removeOwn(base, intent.staging));
    await attempt(async () => {
      if ((await lookConfined(base, relative(base, intent.path))) === undefined) return;
      const bytes = await readRegularFile(intent.path);
      if (bytes !== undefined && sha256Hex(bytes) === intent.sha256) await removeFile(intent.path);
    });
  }
  for (const path of manifest.files) await attempt(() => removeOwn(base, path));
  for (const path of manifest.dirs.toReversed()) await attempt(() => removeIfEmpty(base, path));
  if (failures.length === 0) await removeManifest(envRoot);
  else throw failures[0];
}

async function removeOwn(base: string, path: string): Promise<void> {
  const facts = await lookConfined(base, relative(base, path));
  // A directory in our file's place is somebody's work.
  if (facts !== undefined && !facts.isDirectory()) await removeFile(path);
}

async function removeIfEmpty(base: string, path: string): Promise<void> {
  const facts = await lookConfined(base, relative(base, path));
  if (facts?.isDirectory() !== true) return;
  try {
    await removeEmptyDirectory(path);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
  }
}
