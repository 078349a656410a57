import { lstatSync } from "node:fs";
import { errorText } from "../../core/index.ts";
import { removeTree } from "../../platform/index.ts";
import { type Place, type TreeGit, configGuard, identityFor, treeGit, userRepos } from "./git.ts";
import type { TreeMachine, UserTree } from "./types.ts";

export type TreeEnd =
  /** The worktree is gone; `branch` holds the work, null: there was none. */
  | { readonly kind: "finished"; readonly branch: string | null }
  /** The worktree stays where it is, with the work in it. */
  | { readonly kind: "kept"; readonly path: string; readonly why: string };

/**
 * Ends a task's worktree (execenv.md 11.3): commits what is not committed, removes the worktree, and the branch too when
 * nothing happened on it. What cannot be committed or is on no branch stays as it is. Never throws.
 */
export async function finishUserTree(tree: UserTree, machine: TreeMachine): Promise<TreeEnd> {
  const git = treeGit(machine);
  const kept = (why: string): TreeEnd => ({ kind: "kept", path: tree.path, why });
  try {
    return await userRepos.run(tree.common, () => finish(git, tree, kept), machine.signal === undefined ? {} : { signal: machine.signal });
  } catch (error) {
    return kept(errorText(error));
  }
}

async function finish(git: TreeGit, tree: UserTree, kept: (why: string) => TreeEnd): Promise<TreeEnd> {
  if (lstatSync(tree.path, { throwIfNoEntry: false }) === undefined) {
    await git.run({ cwd: tree.top }, "worktree", "prune");
    return { kind: "finished", branch: await dropIfUnused(git, tree) };
  }
  if (!tree.complete) return kept("it was never completed");
  if ((await configGuard(git, tree.common, tree.gitDir)) !== tree.guard) return kept("the repository's configuration now starts other programs than before the task");
  // Named outright: the agent can have made the worktree's .git lead anywhere.
  const place: Place = { cwd: tree.path, gitDir: tree.gitDir, workTree: tree.path };
  const status = await git.run(place, "status", "--porcelain", "-z", "--untracked-files=all");
  if (status.code !== 0 || status.stdout !== "") {
    const env = await identityFor(git, place);
    await git.must({ ...place, env }, "add", "-A");
    if ((await git.run(place, "diff", "--cached", "--quiet")).code !== 0) {
      await git.must({ ...place, env }, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", "Changes that the task left uncommitted");
    }
  }
  const head = await git.must(place, "rev-parse", "--verify", "HEAD");
  const at = await git.run(place, "symbolic-ref", "--quiet", "--short", "HEAD");
  const current = at.code === 0 ? at.stdout.trim() : null;
  if (current === null && head !== tree.baseline) return kept(`its last commit ${head} is on no branch`);
  await removeWorktree(git, tree);
  const own = await dropIfUnused(git, tree);
  return { kind: "finished", branch: own ?? (current === null || current === tree.branch ? null : current) };
}

/** Removes worktree and branch with whatever is on them: for a preparation that failed before an agent ran. */
export async function discardUserTree(tree: UserTree, machine: TreeMachine, held = false): Promise<void> {
  const git = treeGit(machine);
  const work = async (): Promise<void> => {
    await removeWorktree(git, tree);
    if (tree.complete) await git.run({ cwd: tree.top }, "branch", "-q", "-D", "--", tree.branch);
    else await dropIfUnused(git, tree);
  };
  await (held ? work() : userRepos.run(tree.common, work));
}

async function removeWorktree(git: TreeGit, tree: UserTree): Promise<void> {
  await git.run({ cwd: tree.top }, "worktree", "remove", "--force", "--force", "--", tree.path);
  if (lstatSync(tree.path, { throwIfNoEntry: false }) !== undefined) await removeTree(tree.path);
  await git.run({ cwd: tree.top }, "worktree", "prune");
}

/** The branch, or null when it holds nothing new and is gone now. */
async function dropIfUnused(git: TreeGit, tree: UserTree): Promise<string | null> {
  const user: Place = { cwd: tree.top };
  const ref = `refs/heads/${tree.branch}`;
  const tip = await git.run(user, "rev-parse", "--verify", "--quiet", ref);
  if (tip.code !== 0) return null;
  if (tip.stdout.trim() !== tree.baseline) return tree.branch;
  // Only as long as it still is there.
  const gone = await git.run(user, "update-ref", "-d", ref, tree.baseline);
  return gone.code === 0 ? null : tree.branch;
}
