import { MulticaError } from "../../core/index.ts";
import { refuseLinkedRoot } from "../confined.ts";
import { removeLocalBrief } from "./brief.ts";
import { readManifest } from "./manifest.ts";
import { removeSidecars } from "./remove.ts";

/**
 * Takes everything of ours out of the user's directory that this environment worked in: first the brief, then our files
 * (execenv.md 11.2). Both are attempted; the first failure is thrown. The caller holds the environment's lock.
 * Nothing was put anywhere: nothing is done. Throws `sidecar_manifest_corrupt` when it cannot be told what is ours.
 */
export async function leaveLocalDirectory(envRoot: string): Promise<void> {
  refuseLinkedRoot(envRoot);
  const brief = await Promise.allSettled([removeLocalBrief(envRoot)]);
  const manifest = await readManifest(envRoot);
  if (manifest === "corrupt") {
    throw new MulticaError("sidecar_manifest_corrupt", `${envRoot}: the list of what was put into the user's directory cannot be read`, {
      suggestions: ["Remove .multica and .agent_context from that directory by hand, then .multica_sidecar_manifest.json here."],
    });
  }
  if (manifest !== null) await removeSidecars(envRoot, manifest);
  for (const outcome of brief) if (outcome.status === "rejected") throw outcome.reason;
}
