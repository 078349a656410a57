import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { readdir } from "node:fs/promises";
import { MulticaError } from "../../core/index.ts";
import { TEMP_ROOT_FILE } from "../../execenv/index.ts";
import { type FileLock, ensureDir, lockHolderPath, makeTempDir, removeTree, tryFileLock, writeFileIfAbsent } from "../../platform/index.ts";

const LOCK = ".task_lock";
const ATTEMPTS = 3;

export interface TaskTempDir {
  readonly path: string;
  /** Removes the content, then the lock, then the directory. */
  remove(): Promise<void>;
}

/**
 * A private directory (0700) for everything the agent calls temporary, locked while the task lives (execenv.md 13).
 * It lies under the system's short temporary directory, because sockets cannot have long paths, or under `base`;
 * it names the environment of its task.
 */
export async function createTaskTempDir(base: string | undefined, envRoot: string): Promise<TaskTempDir> {
  if (base !== undefined && !isAbsolute(base)) {
    throw new MulticaError("bad_setting", `MULTICA_AGENT_TEMP_BASE must be an absolute path, not ${JSON.stringify(base)}`);
  }
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const path = await makeTempDir("multica-task-", base ?? tmpdir());
    const lock = tryFileLock(join(path, LOCK));
    // Nobody but a sweep of abandoned directories can be faster than us: it may have this one.
    if (lock === null) continue;
    // So that inspecting the environment finds what a dead task left.
    await writeFileIfAbsent(join(path, TEMP_ROOT_FILE), envRoot, { mode: 0o600 });
    return taskTempDir(path, lock);
  }
  throw new MulticaError("temp_dir_locked", "no temporary directory could be locked for the task", { retry: "later" });
}

/** Takes over the directory of a task whose daemon is gone while its agent still uses it; its lock went with that daemon. */
export async function adoptTaskTempDir(path: string): Promise<TaskTempDir> {
  await ensureDir(path, 0o700);
  return taskTempDir(path, tryFileLock(join(path, LOCK)));
}

function taskTempDir(path: string, lock: FileLock | null): TaskTempDir {
  return {
    path,
    async remove() {
      try {
        const keep = new Set([LOCK, basename(lockHolderPath(LOCK))]);
        for (const name of await readdir(path)) if (!keep.has(name)) await removeTree(join(path, name));
        await removeTree(path);
      } finally {
        lock?.release();
      }
    },
  };
}
