import { isAbsolute, relative } from "node:path";
import { pathExists, realPathIfExists } from "../../platform/index.ts";
import { branchName } from "../names.ts";
import { type Place, type TreeGit, configGuard, identityFor, treeError, treeGit, userRepos } from "./git.ts";
import { discardUserTree } from "./finish.ts";
import type { TreeMachine, UserTree } from "./types.ts";
import { copyUntracked } from "./untracked.ts";

export interface UserTreeRequest extends TreeMachine {
  /** The user's directory: real path, in a checkout with a commit. */
  readonly directory: string;
  /** Where the worktree comes; nothing is there. */
  readonly path: string;
  readonly agentName: string;
  readonly taskId: string;
  /** Called before anything is made, and again when more is known: whoever ends a crashed task needs it. */
  readonly remember: (tree: UserTree) => Promise<void>;
}

/**
 * Makes a worktree that holds what a user's directory holds, edits and untracked files included, on a branch of its own
 * (execenv.md 11.3). The user's files, index and branch stay as they are. Throws `local_directory_error` when the
 * directory is in no repository, has no commit, or holds what cannot be reproduced; nothing is left then.
 */
export async function createUserTree(request: UserTreeRequest): Promise<{ readonly tree: UserTree; readonly workdir: string }> {
  const git = treeGit(request);
  const start = await locate(git, request.directory);
  const offset = relative(start.top, request.directory);
  const tree = await userRepos.run(start.common, () => build(git, request, start), request.signal === undefined ? {} : { signal: request.signal });
  const workdir = offset === "" ? tree.path : `${tree.path}/${offset}`;
  if (await pathExists(workdir)) return { tree, workdir };
  await discardUserTree(tree, request);
  throw treeError(`${request.directory} holds nothing that git would bring into a worktree`, ["Commit something there, or set the resource's execution_mode to in_place."]);
}

interface Start {
  readonly top: string;
  readonly common: string;
  readonly head: string;
}

async function locate(git: TreeGit, directory: string): Promise<Start> {
  // The repository may begin in any directory above.
  const place: Place = { cwd: directory, env: { GIT_CEILING_DIRECTORIES: "" } };
  const found = await git.run(place, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir");
  const [top, common] = found.stdout.split("\n");
  if (found.code !== 0 || top === undefined || common === undefined || !isAbsolute(top) || !isAbsolute(common)) {
    throw treeError(`the local directory ${directory} is in no git repository, which worktree mode needs`, ["Run `git init` and commit there, or set the resource's execution_mode to in_place."]);
  }
  const head = await git.run(place, "rev-parse", "--verify", "--quiet", "HEAD^{commit}");
  if (head.code !== 0) throw treeError(`the git repository ${top} has no commit yet, which worktree mode needs`, ["Commit something there first."]);
  return { top: realPathIfExists(top) ?? top, common: realPathIfExists(common) ?? common, head: head.stdout.trim() };
}

async function build(git: TreeGit, request: UserTreeRequest, start: Start): Promise<UserTree> {
  const user: Place = { cwd: start.top };
  await git.must(user, "worktree", "prune");
  let branch = branchName(request.agentName, request.taskId);
  if ((await git.run(user, "show-ref", "--verify", "--quiet", `refs/heads/${branch}`)).code === 0) branch = `${branch}-${Math.floor(request.clock.now() / 1000)}`;
  let tree: UserTree = { top: start.top, common: start.common, path: request.path, gitDir: "", branch, baseline: start.head, complete: false, guard: await configGuard(git, start.common, undefined) };
  const env = await identityFor(git, user);
  // Makes a commit object of the edits and changes no file.
  const stash = await git.must({ ...user, env }, "stash", "create");
  await request.remember(tree);
  try {
    await git.must(user, "worktree", "add", "--quiet", "--no-track", "-b", branch, "--", request.path, start.head);
    const gitDir = realPathIfExists(await git.must({ cwd: request.path }, "rev-parse", "--absolute-git-dir")) ?? "";
    tree = { ...tree, gitDir };
    await request.remember(tree);
    const place: Place = { cwd: request.path, gitDir, workTree: request.path, env };
    if (stash !== "") await git.must(place, "stash", "apply", "--quiet", stash);
    const names = await git.must(user, "ls-files", "--others", "--exclude-standard", "-z");
    await copyUntracked(start.top, request.path, names.split("\0").filter((name) => name !== ""));
    await git.must(place, "add", "-A");
    if ((await git.run(place, "diff", "--cached", "--quiet")).code !== 0) {
      await git.must(place, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", "State of the working directory before the task");
    }
    tree = { ...tree, baseline: await git.must(place, "rev-parse", "--verify", "HEAD"), complete: true };
    await request.remember(tree);
    return tree;
  } catch (error) {
    await takeBack(tree, request);
    throw error;
  }
}

/** The caller holds the repository; also when the task was cancelled, so without its signal. */
async function takeBack(tree: UserTree, request: UserTreeRequest): Promise<void> {
  await discardUserTree(tree, { env: request.env, clock: request.clock }, true).catch(() => undefined);
}
