import { resolve } from "node:path";
import { errorText } from "../core/index.ts";
import { checkInput, environmentOf, furnish } from "./assemble.ts";
import { identity, lockRoot } from "./claim.ts";
import { healBeforeReuse } from "./checks/reuse.ts";
import { findEligibleRoot } from "./eligibility.ts";
import { restoreRootMarker } from "./markers.ts";
import { writeProvenance } from "./provenance.ts";
import { readRecord } from "./record.ts";
import type { Environment, ReuseInput } from "./types.ts";

/**
 * Continues in the environment of an earlier task of the same conversation (execenv.md 6), holding its lock. Null: it is
 * not eligible, busy, changed meanwhile or could not be brought in order: the caller prepares a fresh one.
 * Work in it, edits of our own files included, stays as it is.
 */
export async function reuseEnvironment(given: ReuseInput): Promise<Environment | null> {
  checkInput(given);
  const input = { ...given, workspacesRoot: resolve(given.workspacesRoot) };
  const decline = (reason: string): null => {
    input.logger.info("the prior environment is not reused", { path: input.priorWorkDir, reason });
    return null;
  };
  try {
    // Taking the lock writes a file, so the check comes first; and again under the lock, when nobody can change it.
    const found = await findEligibleRoot(input);
    if ("reason" in found) return decline(found.reason);
    const before = await identity(found.root);
    const lock = await lockRoot(found.root);
    if (lock === null) return decline("another execution holds it");
    try {
      const again = await findEligibleRoot(input);
      if ("reason" in again || again.root !== found.root || (await identity(again.root)) !== before) {
        lock.release();
        return decline("it changed while it was being locked");
      }
      await restoreRootMarker(input.workspacesRoot).catch((error: unknown) => {
        input.logger.warn("the workspaces root has no guard marker", { path: input.workspacesRoot, error: errorText(error) });
      });
      await healBeforeReuse(found.root, input);
      const furnished = await furnish(found.root, input, await readRecord(found.root));
      await writeProvenance(found.root, input.workspaceId, input.task);
      return environmentOf(found.root, input, lock, furnished, true);
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    return decline(errorText(error));
  }
}
