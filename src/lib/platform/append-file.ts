import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync, writevSync } from "node:fs";
import { EXIT, MulticaError, errorText, systemCode } from "../core/index.ts";

/** A file that only grows. Calls are synchronous: what was appended is in the page cache when the call returns. */
export interface AppendFile {
  readonly size: number;
  /** All or nothing: after a failure (full disk) the file is as long as before. */
  append(parts: readonly Uint8Array[]): void;
  close(): void;
}

/** Opens or makes a file (0600) to append to; never through a link. */
export function openAppendFile(path: string): AppendFile {
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  let size = fstatSync(fd).size;
  return {
    get size() {
      return size;
    },
    append(parts) {
      const wanted = parts.reduce((sum, part) => sum + part.byteLength, 0);
      try {
        const written = writevSync(fd, [...parts]);
        if (written !== wanted) throw Object.assign(new Error("the record did not fit"), { code: "ENOSPC" });
        size += wanted;
      } catch (error) {
        truncateQuietly(fd, size);
        throw error;
      }
    },
    close: () => closeSync(fd),
  };
}

function truncateQuietly(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size);
  } catch {
    // A torn end is what readers of such a file expect of a disk in trouble.
  }
}

/** Replaces a small file as a whole, synchronously and without fsync: for processes that may be ended at any moment. */
export function writeFileNow(path: string, text: string, mode: number): void {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

/** Removes one file or link; false when nothing was there. */
export function removeFileNow(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Makes sure that `path` is a directory of ours that nobody else can enter (0700), and no link. Throws `unsafe_directory`
 * when something else is there: whoever planted it could read or replace what we put into it.
 */
export function privateDirectory(path: string): void {
  const refuse = (why: string): MulticaError =>
    new MulticaError("unsafe_directory", `${path} ${why}`, { exit: EXIT.failed, suggestions: [`Remove ${path}, or make it a directory of yours with mode 0700.`] });
  try {
    mkdirSync(path, { mode: 0o700, recursive: false });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw refuse(`cannot be made: ${errorText(error)}`);
  }
  const found = lstatSync(path);
  if (!found.isDirectory()) throw refuse("is not a directory");
  const uid = process.getuid?.();
  if (uid !== undefined && found.uid !== uid) throw refuse("belongs to another user");
  if ((found.mode & 0o077) !== 0) throw refuse("can be entered by other users");
}
