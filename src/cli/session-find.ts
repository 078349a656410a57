import { EXIT, MulticaError } from "../lib/core/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import type { FindScope, FoundRollout, HomePlaces, IndexHandle, ThreadFile } from "../lib/state/index.ts";
import { usage } from "./resolve.ts";

export function scopeOf(flags: { readonly archived?: boolean | undefined; readonly any?: boolean | undefined }): FindScope {
  if (flags.archived === true && flags.any === true) throw usage("--archived and --any exclude each other");
  return flags.archived === true ? "archived" : "any";
}

export interface ThreadWish {
  /** A whole id or the beginning of one. */
  readonly text: string;
  readonly places: HomePlaces;
  readonly scope: FindScope;
  readonly home?: string | undefined;
  readonly repair: boolean;
  /** True = look for every file of the thread. */
  readonly all: boolean;
}

/** The thread a person means, its rollout and, if asked for, all its files. Throws `thread_not_found` (exit 4). */
export async function findThread(index: IndexHandle | null, wish: ThreadWish): Promise<{ found: FoundRollout; files: ThreadFile[] }> {
  const { chooseThread, findRollout, threadFiles } = await import("../lib/state/index.ts");
  const { places, scope, home, repair } = wish;
  const id = await chooseThread(index, places, wish.text);
  const found = id === null ? null : await findRollout(index, id, { scope, places, home, repair, clock: systemClock });
  if (id === null || found === null) {
    throw new MulticaError("thread_not_found", `no session ${wish.text} was found`, { exit: EXIT.notFound, suggestions: ["Look at `multica session list`."] });
  }
  return { found, files: wish.all ? await threadFiles(index, id, { places, clock: systemClock }) : [] };
}
