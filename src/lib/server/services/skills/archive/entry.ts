import { MulticaError } from "../../../../core/index.ts";

/** A regular file or a link in an archive; directories are left out. Paths are as the archive has them: unchecked. */
export interface ArchiveEntry {
  readonly path: string;
  readonly kind: "file" | "link";
  /** The file's bytes, or undefined when it has more than `max`; nothing beyond that is unpacked. Throws `bad_archive`. */
  read(max: number): Promise<Buffer | undefined>;
}

// Each costs some time and memory just by being there.
const ENTRIES_MAX = 20_000;

/** Throws `bad_archive` when an archive holds more than can be looked at. */
export function checkCount(entries: number): void {
  if (entries > ENTRIES_MAX) throw badArchive(`it holds more than ${ENTRIES_MAX} entries`);
}

export function badArchive(why: string, cause?: unknown): MulticaError {
  return new MulticaError("bad_archive", `the archive cannot be read: ${why}`, cause === undefined ? {} : { cause });
}

export function unpacksToo(max: number): MulticaError {
  return badArchive(`it unpacks to more than ${max} bytes`);
}
