import { MulticaError } from "./errors.ts";

/** A regular file or a link in an archive; directories are left out. Paths are as the archive has them: unchecked. */
export interface ArchiveEntry {
  readonly path: string;
  readonly kind: "file" | "link";
  /** The file's bytes, or undefined when it has more than `max`; nothing beyond that is unpacked. Throws `bad_archive`. */
  read(max: number): Buffer | undefined;
}

export function badArchive(why: string): MulticaError {
  return new MulticaError("bad_archive", `the archive cannot be read: ${why}`);
}

/** True for what zlib says when an output grows beyond its bound. */
export function unpacksTooMuch(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
