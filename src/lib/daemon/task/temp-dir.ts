import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { readdir } from "node:fs/promises";
import { MulticaError } from "../../core/index.ts";
import { makeTempDir, moveFile, removeTree, tryFileLock } from "../../platform/index.ts";

const LOCK = ".task_lock";
const CLAIMING = ".task_lock.claiming";

export interface TaskTempDir {
  readonly path: string;
  /** Removes the content, then the lock, then the directory. */
  remove(): Promise<void>;
}

/**
 * A private directory (0700) for everything the agent calls temporary, locked while the task lives (execenv.md 13).
 * It lies under the system's short temporary directory, because sockets cannot have long paths, or under `base`.
 */
export async function createTaskTempDir(base: string | undefined): Promise<TaskTempDir> {
  if (base !== undefined && !isAbsolute(base)) {
    throw new MulticaError("bad_setting", `MULTICA_AGENT_TEMP_BASE must be an absolute path, not ${JSON.stringify(base)}`);
  }
  const path = await makeTempDir("multica-task-", base ?? tmpdir());
  // Locked under another name first: a sweep never sees a lock file that nobody holds yet.
  const lock = tryFileLock(join(path, CLAIMING));
  if (lock === null) throw new MulticaError("temp_dir_locked", `${path} is locked by somebody else`);
  await moveFile(join(path, CLAIMING), join(path, LOCK));
  return {
    path,
    async remove() {
      try {
        for (const name of await readdir(path)) if (name !== LOCK) await removeTree(join(path, name));
        await removeTree(path);
      } finally {
        lock.release();
      }
    },
  };
}
