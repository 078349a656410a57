import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, copyFile, link, lstat, mkdir, open, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { randomHex, systemCode } from "../core/index.ts";

/** Creates one directory, its parent must exist: true when it did, false when something is there already. */
export async function makeDirectory(path: string, mode = 0o755): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** A name beside `path` that nobody else uses: where its content waits until it is complete. */
export function stagingPath(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 200)}.${randomHex(6)}.tmp`);
}

/**
 * Puts a complete file at `path`, which must be free: false when anything (a link too) is there. The content is written
 * to `staging` first and linked into place, so that a crash leaves the whole file, or only the staging file, never a part.
 */
export async function placeNewFile(path: string, data: string | Uint8Array, options: { staging: string; mode?: number }): Promise<boolean> {
  const mode = options.mode ?? 0o644;
  const file = await open(options.staging, "wx", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(options.staging, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(options.staging, { force: true });
  }
}

/** Bytes up to which a file is read at once: the way over another thread costs more than the reading. */
const SMALL = 256 * 1024;

/** The bytes of a regular file; undefined when nothing, a link or something else is at `path`. A link is never followed. */
export async function readRegularFile(path: string): Promise<Buffer | undefined> {
  try {
    // Without O_NONBLOCK a pipe that somebody planted would hold us for ever.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(file);
      if (!facts.isFile()) return undefined;
      if (facts.size <= SMALL) return readFileSync(file);
    } finally {
      closeSync(file);
    }
    return await readLargeFile(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

async function readLargeFile(path: string): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return (await file.stat()).isFile() ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}

/** Gives a file back the time it had: for content that was restored byte for byte. Milliseconds since the epoch. */
export async function restoreTimes(path: string, accessMs: number, modifiedMs: number): Promise<void> {
  if ((await lstat(path)).isFile()) await utimes(path, accessMs / 1000, modifiedMs / 1000);
}

/** Gives a file a second name, which must be free; false when it is taken or the volume does not allow it. */
export async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (["EEXIST", "EXDEV", "EPERM", "EMLINK", "ENOTSUP"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** Copies a file to a name that must be free, whole or not at all: false when anything is there. */
export async function copyIfAbsent(from: string, to: string, options: { mode?: number } = {}): Promise<boolean> {
  const staging = stagingPath(to);
  try {
    await copyFile(from, staging, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    if (options.mode !== undefined) await chmod(staging, options.mode);
    return await linkFile(staging, to);
  } finally {
    await rm(staging, { force: true });
  }
}

/**
 * Does something in a directory that cannot be swapped for another one meanwhile: `work` gets a path that stands for the
 * directory as it was opened. Undefined, and nothing done: it is not, or no longer, where `real` (links resolved) says.
 * Only Linux can hold a directory by its descriptor; elsewhere `work` gets the path itself.
 */
export async function inPinnedDirectory<T>(directory: string, real: string, work: (place: string) => Promise<T>): Promise<{ readonly done: T } | undefined> {
  if (process.platform !== "linux") return { done: await work(directory) };
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const place = `/proc/self/fd/${fd}`;
  try {
    return readlinkSync(place) === real ? { done: await work(place) } : undefined;
  } catch (error) {
    // Nobody knows the descriptor: what went wrong is told by the directory's own name.
    if (error instanceof Error) error.message = error.message.replaceAll(place, directory);
    throw error;
  } finally {
    closeSync(fd);
  }
}
