import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MulticaError, randomHex, taskKey } from "../core/index.ts";
import { ensureDir, removeTree, writeFileAtomic } from "../platform/index.ts";
import type { Git } from "./git.ts";
import { branchOfHead } from "./layout.ts";
import { isPlainBranch } from "./names.ts";
import { bareRepo } from "./repo.ts";

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
  const wanted = wantedBranches(gitDir, request.branchName);
  if (wanted.length === 0) return [];
  const view = `${request.cache}.tmp-${randomHex(6)}`;
  try {
    await buildView(git, view, objects, wanted, request.signal);
    return await takeOver(git, view, wanted, request);
  } finally {
    await removeTree(view);
  }
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

/** The commit id of a ref, loose or packed, read as text. */
function refValue(gitDir: string, ref: string): string | undefined {
  const loose = readPlain(join(gitDir, ref))?.trim();
  if (loose !== undefined) return /^[0-9a-f]{40,64}$/.test(loose) ? loose : undefined;
  const line = readPlain(join(gitDir, "packed-refs"))
    ?.split("\n")
    .find((item) => item.endsWith(` ${ref}`));
  return /^([0-9a-f]{40,64}) /.exec(line ?? "")?.[1];
}

function readPlain(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, "utf8") : undefined;
}

/** A bare repository of ours that has the checkout's objects and nothing else of it. */
async function buildView(git: Git, view: string, objects: string, wanted: readonly Wanted[], signal?: AbortSignal): Promise<void> {
  const passed = signal === undefined ? {} : { signal };
  await ensureDir(view, 0o700);
  const format = wanted.some((item) => item.commit.length === 64) ? ["--object-format=sha256"] : [];
  await git.must("collect commits: git init: ", { args: ["init", "--bare", "--quiet", "--template=", ...format, "--", view], cwd: view, ...passed });
  await ensureDir(join(view, "objects", "info"));
  await writeFileAtomic(join(view, "objects", "info", "alternates"), `${objects}\n`);
  const commands = wanted.map((item) => `create refs/heads/${item.branch} ${item.commit}\n`).join("");
  await bareRepo(git, view, signal).must("collect commits: git update-ref: ", ["update-ref", "--stdin"], { input: commands });
}

async function takeOver(git: Git, view: string, wanted: readonly Wanted[], request: CollectRequest): Promise<Collected[]> {
  const prefix = `refs/multica/tasks/${taskKey(request.taskId).toLowerCase()}`;
  const found = wanted.map((item) => ({ ...item, ref: `${prefix}/${item.branch}` }));
  const specs = found.map((item) => `+refs/heads/${item.branch}:${item.ref}`);
  const options = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"];
  await bareRepo(git, request.cache, request.signal).must("collect commits: git fetch: ", [
    "-c",
    "fetch.fsckObjects=true",
    "fetch",
    ...options,
    "--",
    view,
    ...specs,
  ]);
  return found;
}
