import { dirname, join } from "node:path";
import { MulticaError, sha256Hex } from "../../core/index.ts";
import { makeDirectory, placeNewFile, stagingPath } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { type SidecarManifest, writeManifest } from "./manifest.ts";
import { removeSidecars } from "./remove.ts";

export interface Sidecar {
  /** Below the user's directory. */
  readonly path: string;
  readonly data: string;
  /** True: somebody's file in its place stays and ours is left out; false: that is an error. */
  readonly optional: boolean;
}

/**
 * Puts our files into a user's directory so that they can be taken out again without a trace (execenv.md 11.2): only
 * where nothing is, and recorded before the first of them is written, so that a crash at any point leaves a manifest
 * that names everything. On an error what was written is removed again. Throws `local_occupied`, `env_symlinked`.
 */
export async function placeSidecars(envRoot: string, base: string, sidecars: readonly Sidecar[]): Promise<SidecarManifest> {
  const plan = await planSidecars(base, sidecars);
  const intents = plan.files.map(({ path, data }) => ({ path: join(base, path), staging: stagingPath(join(base, path)), sha256: sha256Hex(data) }));
  let manifest: SidecarManifest = { base, files: [], dirs: plan.dirs, intents };
  await writeManifest(envRoot, manifest);
  try {
    const made: string[] = [];
    for (const directory of plan.dirs) if (await makeDirectory(directory)) made.push(directory);
    const files: string[] = [];
    for (const [at, { path, data, optional }] of plan.files.entries()) {
      const intent = intents[at];
      if (intent === undefined) continue;
      if (await placeNewFile(intent.path, data, { staging: intent.staging })) files.push(intent.path);
      else if (!optional) throw occupied(join(base, path));
    }
    manifest = { base, files, dirs: made, intents: [] };
    await writeManifest(envRoot, manifest);
    return manifest;
  } catch (error) {
    await removeSidecars(envRoot, manifest).catch(() => undefined);
    throw error;
  }
}

interface Plan {
  readonly files: readonly Sidecar[];
  /** Absolute, outermost first. */
  readonly dirs: readonly string[];
}

async function planSidecars(base: string, sidecars: readonly Sidecar[]): Promise<Plan> {
  const files: Sidecar[] = [];
  const dirs = new Set<string>();
  for (const sidecar of sidecars) {
    if ((await lookConfined(base, sidecar.path)) !== undefined) {
      if (sidecar.optional) continue;
      throw occupied(join(base, sidecar.path));
    }
    files.push(sidecar);
    const missing: string[] = [];
    for (let parent = dirname(sidecar.path); parent !== "."; parent = dirname(parent)) {
      if ((await lookConfined(base, parent)) === undefined) missing.unshift(join(base, parent));
    }
    for (const directory of missing) dirs.add(directory);
  }
  return { files, dirs: [...dirs] };
}

function occupied(path: string): MulticaError {
  return new MulticaError("local_occupied", `${path} exists already and is not ours to replace`, {
    suggestions: ["Move it away, or let the task work in a worktree or an environment of its own."],
  });
}
