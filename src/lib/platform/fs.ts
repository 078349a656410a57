import { chmodSync, constants, lstatSync, readFileSync, realpathSync, renameSync } from "node:fs";
import {
  chmod,
  copyFile as copy,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
  utimes,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { randomHex, systemCode } from "../core/index.ts";

export interface WriteOptions {
  /** File mode of the new file; 0644 unless given. Applied whatever the umask says. */
  readonly mode?: number;
  /**
   * False: whole or not at all for every reader, but not forced to the disk. For what can be made again: forcing it also
   * forces everything else that was written a moment ago, such as a checkout of thousands of files.
   */
  readonly durable?: boolean;
}

/**
 * Replaces `path` as a whole: temporary file beside it, fsync, rename, fsync of the directory. A reader sees the old
 * or the new content, never a part. On failure the temporary file is removed and the old content stands.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  const mode = options.mode ?? 0o644;
  const temporary = join(dirname(path), `.${basename(path)}.${randomHex(6)}.tmp`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.chmod(mode);
      await file.writeFile(data);
      if (options.durable !== false) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    if (options.durable !== false) await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Creates `path` with this content only when nothing is there: true when it did. */
export async function writeFileIfAbsent(path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<boolean> {
  try {
    const file = await open(path, "wx", options.mode ?? 0o644);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems refuse to sync a directory; the rename itself has happened.
    if (!["EINVAL", "EPERM", "ENOTSUP"].includes(systemCode(error) ?? "")) throw error;
  } finally {
    await directory.close();
  }
}

/** Creates the directory with its parents; with `mode`, forces that mode on the last one. */
export async function ensureDir(path: string, mode?: number): Promise<void> {
  await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  if (mode !== undefined) await chmod(path, mode);
}

/** Removes a file, link or tree; links are removed, never followed. No error when nothing is there. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
}

/** Removes one file or link. False when nothing was there. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Removes a directory only if nothing is in it; throws ENOTEMPTY otherwise. */
export async function removeEmptyDirectory(path: string): Promise<void> {
  await rmdir(path);
}

/** Makes `path` a symbolic link to `target`, atomically: it replaces a link or a file, never a directory. */
export async function createLink(target: string, path: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomHex(6)}.tmp`);
  await symlink(target, temporary);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Copies a file through a temporary name, so that a crash leaves no half copy. */
export async function copyFile(from: string, to: string, options: WriteOptions = {}): Promise<void> {
  const temporary = join(dirname(to), `.${basename(to)}.${randomHex(6)}.tmp`);
  try {
    await copy(from, temporary, constants.COPYFILE_FICLONE);
    if (options.mode !== undefined) await chmod(temporary, options.mode);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function moveFile(from: string, to: string): Promise<void> {
  await rename(from, to);
}

/** The same where nothing may happen in between. */
export function moveFileNow(from: string, to: string): void {
  renameSync(from, to);
}

/** Sets access and modification time, in whole seconds. */
export async function setFileTime(path: string, seconds: number): Promise<void> {
  await utimes(path, seconds, seconds);
}

export async function chmodPath(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
}

export function chmodNow(path: string, mode: number): void {
  chmodSync(path, mode);
}

/** The text of a file, or undefined when it does not exist. Every other error is thrown. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Like `readTextIfExists`, synchronously: for start-up paths. */
export function readTextIfExistsNow(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** True when something is at `path`, a dangling link included. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

/** The path with all links resolved, or undefined when it does not exist. */
export function realPathIfExists(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** A new private directory (0700) under the system's temporary directory, with its real path. */
export async function makeTempDir(prefix: string, parent: string = tmpdir()): Promise<string> {
  return realpathSync.native(await mkdtemp(join(parent, prefix)));
}
