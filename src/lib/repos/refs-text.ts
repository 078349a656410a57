import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";

const MAX_TEXT = 64 << 20;

/** A regular file's text; undefined for anything else: an agent may have put a link there. */
export function readPlain(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= MAX_TEXT ? readFileSync(path, "utf8") : undefined;
}

/** The commit id of a ref, loose or packed, read as text: git would read the repository's configuration first. */
export function refValue(gitDir: string, ref: string): string | undefined {
  const loose = readPlain(join(gitDir, ref))?.trim();
  if (loose !== undefined) return isObjectId(loose) ? loose : undefined;
  const line = readPlain(join(gitDir, "packed-refs"))
    ?.split("\n")
    .find((item) => item.endsWith(` ${ref}`));
  return /^([0-9a-f]{40,64}) /.exec(line ?? "")?.[1];
}

export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
