import { type Stats, lstatSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from "node:path";
import { MulticaError, systemCode } from "../core/index.ts";
import { type WriteOptions, inPinnedDirectory, makeDirectory, readRegularFile, realPathIfExists, removeTree, writeFileAtomic } from "../platform/index.ts";

// Agents write into these trees. Whatever the daemon reads, writes or removes there goes through here: a link that
// somebody planted is never followed, neither at the end of a path nor on the way to it.

/**
 * What is at `base/path` (undefined: nothing). Throws `env_symlinked` when a directory on the way, the base included, is
 * a link or no directory. `base` is absolute; `path` is relative and must stay below it.
 */
export async function lookConfined(base: string, path: string): Promise<Stats | undefined> {
  let at = base;
  for (const segment of [undefined, ...segmentsOf(path)]) {
    if (segment !== undefined) {
      const parent = entry(at);
      if (parent === undefined) return undefined;
      if (!parent.isDirectory()) throw planted(at);
      at = join(at, segment);
    }
  }
  return entry(at);
}

/** The text of a regular file below `base`; undefined when it is absent, or when a link or something else is there. */
export async function readConfined(base: string, path: string): Promise<string | undefined> {
  if ((await lookConfined(base, path)) === undefined) return undefined;
  return (await readRegularFile(join(base, path)))?.toString("utf8");
}

/** Makes the directory `base/path` with its parents; returns the absolute paths of those that did not exist. */
export async function ensureConfinedDir(base: string, path: string, mode?: number): Promise<string[]> {
  const made: string[] = [];
  let at = base;
  for (const segment of [undefined, ...segmentsOf(path)]) {
    if (segment !== undefined) at = join(at, segment);
    const facts = entry(at);
    if (facts?.isDirectory() === true) continue;
    if (facts !== undefined || segment === undefined) throw planted(at);
    const name = basename(at);
    if (await pinned(base, relative(base, dirname(at)), (place) => makeDirectory(join(place, name), mode))) made.push(at);
  }
  return made;
}

/** Replaces or creates `base/path` as a whole, parents included. A link at the end is replaced, a directory is an error. */
export async function writeConfined(base: string, path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  await ensureConfinedDir(base, dirname(path));
  const facts = await lookConfined(base, path);
  if (facts?.isDirectory() === true) throw new MulticaError("env_occupied", `${join(base, path)} is a directory`);
  await pinned(base, dirname(path), (place) => writeFileAtomic(join(place, basename(path)), data, options));
}

/** Removes `base/path`, whatever it is; links are removed, not followed. */
export async function removeConfined(base: string, path: string): Promise<void> {
  if ((await lookConfined(base, path)) === undefined) return;
  await pinned(base, dirname(path), (place) => removeTree(join(place, basename(path))));
}

/** A process that a task left behind could swap the directory for a link between the look and the deed. */
async function pinned<T>(base: string, path: string, work: (place: string) => Promise<T>): Promise<T> {
  const directory = join(base, path);
  const real = realPathIfExists(base);
  const result = real === undefined ? undefined : await inPinnedDirectory(directory, join(real, path), work);
  if (result === undefined) throw planted(directory);
  return result.done;
}

/**
 * Throws `env_symlinked` when the env root, or the workspace it lies in, is a link by now: an agent can put one in the
 * place of its own environment while it runs. The workspaces root itself may be reached by one. Nothing there: no error.
 */
export function refuseLinkedRoot(root: string): void {
  const base = realPathIfExists(dirname(dirname(root)));
  const real = realPathIfExists(root);
  if (base !== undefined && real !== undefined && real !== join(base, basename(dirname(root)), basename(root))) throw planted(root);
}

function segmentsOf(path: string): string[] {
  const clean = normalize(path);
  if (clean === "." || clean === "") return [];
  const segments = clean.split(sep).filter((segment) => segment !== "");
  if (isAbsolute(clean) || segments.includes("..")) throw new MulticaError("env_outside", `${path} leaves the environment`);
  return segments;
}

/** Without a hop to another thread: hundreds of these are asked for each task, and each takes microseconds. */
function entry(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function planted(path: string): MulticaError {
  return new MulticaError("env_symlinked", `${path} is a link or no directory: nothing is read or written behind it`);
}
