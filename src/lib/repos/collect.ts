import { lstatSync } from "node:fs";
import { join } from "node:path";
import { MulticaError, taskKey } from "../core/index.ts";
import type { Git } from "./git.ts";
import { importRefs } from "./import-refs.ts";
import { branchOfHead } from "./layout.ts";
import { isPlainBranch } from "./names.ts";
import { refValue } from "./refs-text.ts";
import { type NewRef, withView } from "./view.ts";

export interface CollectRequest {
  /** The isolated checkout. */
  readonly path: string;
  /** The bare cache that takes its commits. */
  readonly cache: string;
  readonly taskId: string;
  /** The branch made for the task; the branch that is checked out now is taken along when it is another one. */
  readonly branchName: string;
  readonly signal?: AbortSignal;
}

export interface Collected {
  readonly branch: string;
  /** `refs/multica/tasks/<task key>/<branch>` in the cache. */
  readonly ref: string;
  readonly commit: string;
}

/**
 * Brings what an agent committed in an isolated checkout into the cache, so that it outlives the task's directory.
 *
 * The checkout is the agent's: its configuration, hooks and attributes are never read by our git. Only its refs (as
 * text) and its objects are, through a repository of our own that borrows them; every object is checked on the way.
 */
export async function collectWork(git: Git, request: CollectRequest): Promise<Collected[]> {
  const gitDir = join(request.path, ".git");
  const objects = join(gitDir, "objects");
  requireOwn(gitDir);
  requireOwn(objects);
  if (lstatSync(join(objects, "info", "alternates"), { throwIfNoEntry: false }) !== undefined) {
    throw unsafe(request.path, "it borrows objects from another repository");
  }
  const prefix = `refs/multica/tasks/${taskKey(request.taskId).toLowerCase()}`;
  const found = wantedBranches(gitDir, request.branchName).map((item) => ({ ...item, ref: `${prefix}/${item.branch}` }));
  const first = found[0];
  if (first === undefined) return [];
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  const refs: NewRef[] = found.map(({ ref, commit }) => ({ ref, commit }));
  await withView({ cache: request.cache, objects: [objects], head: first.commit, ...signal }, (view) => importRefs(git, view, request.cache, refs, request.signal));
  return found;
}

interface Wanted {
  readonly branch: string;
  readonly commit: string;
}

function requireOwn(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw unsafe(path, "its git directory is not a plain directory");
}

function unsafe(path: string, why: string): MulticaError {
  return new MulticaError("collect_refused", `commits of ${path} are not taken over: ${why}`, { details: { path } });
}

function wantedBranches(gitDir: string, branchName: string): Wanted[] {
  const names = [...new Set([branchName, branchOfHead(join(gitDir, "HEAD")) ?? ""])].filter(isPlainBranch);
  return names.flatMap((branch) => {
    const commit = refValue(gitDir, `refs/heads/${branch}`);
    return commit === undefined ? [] : [{ branch, commit }];
  });
}
