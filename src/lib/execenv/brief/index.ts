import { readConfined, refuseLinkedRoot, writeConfined } from "../confined.ts";
import { injectLocalBrief } from "../local/brief.ts";
import type { Environment, TaskContext } from "../types.ts";
import { injectBlock, markBrief } from "./block.ts";
import { renderBrief } from "./render.ts";

/**
 * Writes the runtime brief into the file that the provider's agent reads (`AGENTS.md`, `CLAUDE.md`, …; the spec's
 * `contextFile`). What a person or the agent wrote around our block stays; an equal file is not written, and a planted
 * link is replaced, never followed. An empty name means that the agent reads no file: nothing happens.
 * Callers warn on an error and go on.
 */
export async function writeBrief(
  environment: Pick<Environment, "root" | "workdir" | "localDirectory" | "skills">,
  input: { readonly contextFile: string; readonly task: TaskContext },
): Promise<void> {
  const { root, workdir } = environment;
  if (input.contextFile === "") return;
  refuseLinkedRoot(root);
  const block = markBrief(renderBrief(input.task, environment.skills));
  if (environment.localDirectory) {
    await injectLocalBrief(root, workdir, input.contextFile, block);
    return;
  }
  const present = await readConfined(workdir, input.contextFile);
  const wanted = injectBlock(present, block);
  if (wanted !== present) await writeConfined(workdir, input.contextFile, wanted);
}
