import { join } from "node:path";
import { readTextIfExists, writeFileAtomic } from "../../platform/index.ts";
import type { Environment, TaskContext } from "../types.ts";
import { injectBlock, markBrief } from "./block.ts";
import { renderBrief } from "./render.ts";

/**
 * Writes the runtime brief into the file that the provider's agent reads (`AGENTS.md`, `CLAUDE.md`, …; the spec's
 * `contextFile`). What a person or the agent wrote around our block stays; an equal file is not written.
 * An empty name means that the agent reads no file: nothing happens. Callers warn on an error and go on.
 */
export async function writeBrief(
  environment: Pick<Environment, "workdir">,
  input: { readonly contextFile: string; readonly task: TaskContext },
): Promise<void> {
  if (input.contextFile === "") return;
  const path = join(environment.workdir, input.contextFile);
  const present = await readTextIfExists(path);
  const wanted = injectBlock(present, markBrief(renderBrief(input.task)));
  if (wanted !== present) await writeFileAtomic(path, wanted);
}
