import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errorText } from "../core/index.ts";
import { type FileLock, lockHolderPath, removeEmptyDirectory, removeTree, systemClock } from "../platform/index.ts";
import { checkInput, environmentOf, furnish } from "./assemble.ts";
import { claimFreshRoot } from "./claim.ts";
import { envPaths, isBookkeeping, predictEnvRoot } from "./layout.ts";
import { leaveLocalDirectory } from "./local/leave.ts";
import { discardWorktree, endLocalWork, enterWorktree, gitMachine } from "./local/worktree.ts";
import { type TreeMachine, findUnpushedWork, moveAside, salvageCheckouts } from "../repos/index.ts";
import { restoreRootMarker } from "./markers.ts";
import { writeProvenance } from "./provenance.ts";
import type { Environment, PrepareInput } from "./types.ts";

/**
 * Makes a fresh environment for a task and holds its lock (execenv.md 5). On return everything is on disk and `start`
 * may be sent. On an error nothing of it remains but a root that belonged to somebody else, untouched.
 * Errors: `env_input`, `env_busy`, `env_owned`, `env_unowned`, `codex_config_invalid`, and what the disk says.
 */
export async function prepareEnvironment(given: PrepareInput): Promise<Environment> {
  checkInput(given);
  const input = { ...given, workspacesRoot: resolve(given.workspacesRoot) };
  await restoreRootMarker(input.workspacesRoot).catch((error: unknown) => {
    input.logger.warn("the workspaces root has no guard marker", { path: input.workspacesRoot, error: errorText(error) });
  });
  const root = predictEnvRoot(input.workspacesRoot, input.workspaceId, input.taskId);
  const machine = gitMachine(input.host, input.worktree?.clock ?? systemClock);
  const lock = await claimFreshRoot(root, input.taskId, () => endLocalWork(root, machine), () => saveWork(root, input, machine));
  try {
    const local = input.localWorkDir;
    const workdir = local === undefined || input.worktree === undefined ? local : await enterWorktree(root, local, input);
    const furnished = await furnish(root, input, undefined, workdir);
    // Nothing continues in a user's directory: each task prepares it anew.
    if (input.localWorkDir === undefined && input.sharedWorkDir === undefined) {
      await writeProvenance(root, input.workspaceId, input.task).catch((error: unknown) => {
        input.logger.warn("a later task cannot continue in this environment", { path: root, error: errorText(error) });
      });
    }
    return environmentOf(root, input, lock, furnished, false);
  } catch (error) {
    await rollBack(root, lock, input);
    throw error;
  }
}

/**
 * What a dead execution of this task left in its checkouts is written to rescue refs before the environment is emptied; a
 * repository that no cache is kept of, which the agent made or cloned itself, is moved aside with its work.
 */
async function saveWork(root: string, input: PrepareInput, machine: TreeMachine): Promise<void> {
  const { workdir } = envPaths(root);
  const { saved, homeless } = await salvageCheckouts({ root: input.workspacesRoot, workspaceId: input.workspaceId, directory: workdir, taskId: input.taskId, ...machine });
  for (const { path, ref } of saved) input.logger.info("work of an earlier attempt was kept", { path, ref });
  if (homeless.length === 0) return;
  const work = (await findUnpushedWork({ directory: workdir, ...machine })).filter((one) => homeless.some(({ path }) => path === one.path));
  const moved = await moveAside(work, { root: input.workspacesRoot, workspaceId: input.workspaceId, within: workdir, taskId: input.taskId, clock: machine.clock });
  for (const { path, what, directory, id } of moved) input.logger.warn("a repository of an earlier attempt was moved aside for 30 days", { path, what, directory, rescue: id });
}

/**
 * Takes back what a failed preparation wrote. All of it is ours: the root was empty or our own when it was claimed, and
 * no agent has run in it. The lock file goes last and while it is held, so that nobody can claim half a root.
 */
async function rollBack(root: string, lock: FileLock, input: PrepareInput): Promise<void> {
  try {
    const paths = envPaths(root);
    await leaveLocalDirectory(root);
    await discardWorktree(root, gitMachine(input.host, input.worktree?.clock ?? systemClock));
    for (const name of await readdir(root)) if (!isBookkeeping(name)) await removeTree(join(root, name));
    for (const path of [paths.owner, lockHolderPath(paths.lock), paths.lock]) await removeTree(path);
    await removeEmptyDirectory(root);
  } catch (error) {
    input.logger.warn("a failed preparation left files behind", { path: root, error: errorText(error) });
  } finally {
    lock.release();
  }
}
