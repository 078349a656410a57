import { readdir, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { EXIT, MulticaError } from "../core/index.ts";
import { type FileLock, currentPid, ensureDir, lockHolder, readRegularFile, realPathIfExists, removeTree, tryFileLock, writeFileAtomic, writeFileIfAbsent } from "../platform/index.ts";
import { ensureConfinedDir, lookConfined } from "./confined.ts";
import { ENTRY, envPaths, isBookkeeping } from "./layout.ts";
import { type LocalEnd, WORKTREE, hasWorktree } from "./local/worktree.ts";
import { readRecord } from "./record.ts";

/**
 * Takes an env root for a task that starts fresh (execenv.md 4.1) and empties what an earlier, dead execution of the
 * same task left. Throws `env_busy` (held elsewhere), `env_owned` (another task's), `env_unowned` (content that names
 * no owner); in each of these cases nothing was changed. `endWork` ends what the dead execution had in a user's
 * directory; a worktree that has to stay is `env_worktree_kept`. `saveWork` keeps what lies in its checkouts, or throws.
 */
export async function claimFreshRoot(root: string, taskId: string, endWork: () => Promise<LocalEnd>, saveWork: () => Promise<void>): Promise<FileLock> {
  const base = dirname(dirname(root));
  await ensureDir(base);
  // Behind a link in the place of a workspace or of the root itself nothing may be made.
  await ensureConfinedDir(realPathIfExists(base) ?? base, relative(base, root));
  const lock = await lockRoot(root);
  if (lock === null) {
    throw conflict("env_busy", `the environment ${root} is held by a running execution`, ["Wait for it to end, or stop it."]);
  }
  try {
    await takeOwnership(root, taskId, endWork, saveWork);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Locks an existing env root without touching its owner; null when somebody else holds it.
 * The inode is compared around the lock: a root that was removed and made anew meanwhile must not have two holders.
 */
export async function lockRoot(root: string): Promise<FileLock | null> {
  const path = envPaths(root).lock;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await writeFileIfAbsent(path, "", { mode: 0o600 });
    // SQLite would follow a planted link and open, or even make, somebody else's file.
    if ((await lookConfined(root, ENTRY.lock))?.isFile() !== true) throw new MulticaError("env_symlinked", `${path} is no regular file`);
    const before = await identity(path);
    const lock = tryFileLock(path);
    if (lock === null) return null;
    const after = await identity(path);
    if (before !== undefined && before === after) return lock;
    lock.release();
  }
  return null;
}

/** Device and inode of what is at `path` (links followed), or undefined when nothing is. */
export async function identity(path: string): Promise<string | undefined> {
  try {
    const facts = await stat(path, { bigint: true });
    return `${facts.dev}:${facts.ino}`;
  } catch {
    return undefined;
  }
}

async function takeOwnership(root: string, taskId: string, endWork: () => Promise<LocalEnd>, saveWork: () => Promise<void>): Promise<void> {
  const paths = envPaths(root);
  // An owner that cannot be read is not "no owner": every error but absence goes up.
  if ((await lookConfined(root, ENTRY.owner))?.isFile() === false) throw new MulticaError("env_symlinked", `${paths.owner} is no regular file`);
  const owner = (await readRegularFile(paths.owner))?.toString("utf8").trim() ?? "";
  const others = (await readdir(root)).filter((name) => !isBookkeeping(name));
  if (owner !== "" && owner !== taskId) {
    throw conflict("env_owned", `the environment ${root} belongs to task ${owner}, not to ${taskId}`);
  }
  if (owner === "") {
    if (others.length > 0) throw conflict("env_unowned", `the environment ${root} holds files but names no owner`);
    await writeFileAtomic(paths.owner, `${taskId}\n`, { mode: 0o600 });
    return;
  }
  const record = await readRecord(root);
  if (record !== undefined && record.last_task_id !== taskId) {
    throw conflict("env_owned", `the environment ${root} was continued by task ${record.last_task_id}: it is not reset for ${taskId}`);
  }
  // The manifest is the only thing that knows what a dead execution left in a user's directory.
  const { kept } = await endWork();
  if (kept !== null || (await hasWorktree(root))) {
    throw conflict("env_worktree_kept", `the worktree ${join(root, WORKTREE)} holds work of an earlier run: ${kept?.why ?? "it is not known how to end it"}`, ["Save what is in it, then remove it with `git worktree remove`."]);
  }
  if (others.includes(ENTRY.workdir)) await saveWork();
  for (const name of others) await removeTree(join(root, name));
}

function conflict(code: string, message: string, suggestions: readonly string[] = []): MulticaError {
  return new MulticaError(code, message, { exit: EXIT.conflict, suggestions });
}

/** True while an execution of this very process holds an environment: one that has just reported is about to let go of it. */
export function isHeldHere(root: string): boolean {
  return lockHolder(join(root, ENTRY.lock))?.pid === currentPid();
}
