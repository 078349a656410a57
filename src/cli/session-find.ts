import { EXIT, MulticaError } from "../lib/core/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import type { FindScope, FoundRollout, HomePlaces, IndexHandle, SessionRow, ThreadFile } from "../lib/state/index.ts";
import { usage } from "./resolve.ts";
import { type UseIndex, withIndex } from "./session-index.ts";
import { askDaemon } from "./state-daemon.ts";

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

export interface Looked {
  readonly found: FoundRollout;
  readonly files: readonly ThreadFile[];
  readonly session?: SessionRow;
}

/** Asks the daemon when one runs, else the index, else the files (state-db.md 19). `session` = what is known about it as well. */
export async function lookUpThread(use: UseIndex, wish: Omit<ThreadWish, "places"> & { readonly session?: boolean }): Promise<Looked> {
  const { text, scope, home, repair, all, session } = wish;
  const params: [string, string][] = [["scope", scope], ["repair", String(repair)], ["all", String(all)], ["session", String(session === true)], ...(home === undefined ? [] : ([["home", home]] as [string, string][]))];
  const asked = use.noIndex === true ? null : await askDaemon(use.stateDir, (port) => port.session<Looked>(text, params));
  if (asked?.kind === "answer") return asked.value;
  return withIndex({ ...use, onlyLook: asked?.kind === "busy" }, async (index) => {
    const looked = await findThread(index, { ...wish, places: use.places });
    if (session !== true) return looked;
    const { readSession } = await import("../lib/state/index.ts");
    return { ...looked, session: await readSession(index, looked.found, use.places) };
  });
}

/** The thread a person means, its rollout and, if asked for, all its files. Throws `thread_not_found` (exit 4). */
async function findThread(index: IndexHandle | null, wish: ThreadWish): Promise<{ found: FoundRollout; files: ThreadFile[] }> {
  const { chooseThread, findRollout, threadFiles } = await import("../lib/state/index.ts");
  const { places, scope, home, repair } = wish;
  const id = await chooseThread(index, places, wish.text);
  const found = id === null ? null : await findRollout(index, id, { scope, places, home, repair, clock: systemClock });
  if (id === null || found === null) {
    throw new MulticaError("thread_not_found", `no session ${wish.text} was found`, { exit: EXIT.notFound, suggestions: ["Look at `multica session list`."] });
  }
  return { found, files: wish.all ? await threadFiles(index, id, { places, clock: systemClock }) : [] };
}
