import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../core/index.ts";
import { parseRolloutName, type RolloutName } from "./rollout/name.ts";

/** A rollout file as a directory listing and one `stat` show it. */
export interface Candidate {
  readonly path: string;
  /** The key of the index: the path of the uncompressed form, whichever is there. */
  readonly plainPath: string;
  readonly name: RolloutName;
  readonly dev: string;
  readonly ino: string;
  readonly size: number;
  /** Microseconds since the epoch. */
  readonly mtimeUs: number;
}

export interface WalkTrouble {
  /** Directories and files that could not be read. */
  failed: number;
  entries: number;
}

const DEPTH_MAX = 6;

/**
 * The rollouts below a root, ordered by path; one directory is held in memory at a time. Links to directories are not
 * followed, links to files are (a rollout kept on another volume). What cannot be read is counted and left out.
 */
export function* walkRollouts(root: string, trouble: WalkTrouble, depth = 0): Generator<Candidate> {
  const entries = list(root, trouble);
  trouble.entries += entries.length;
  const names = new Set(entries.map((entry) => entry.name));
  for (const entry of entries) {
    if (entry.isDirectory()) {
      if (depth < DEPTH_MAX) yield* walkRollouts(join(root, entry.name), trouble, depth + 1);
      continue;
    }
    const name = parseRolloutName(entry.name);
    if (name === null || (name.compressed && names.has(name.plain))) continue;
    const candidate = candidateAt(root, entry.name, name, trouble);
    if (candidate !== null) yield candidate;
  }
}

/** The candidate at a path that is known already; null when there is no such file (in neither form). */
export function candidateOf(path: string): Candidate | null {
  const trouble = { failed: 0, entries: 0 };
  const at = path.lastIndexOf("/");
  const [directory, file] = [path.slice(0, at), path.slice(at + 1)];
  for (const shown of file.endsWith(".zst") ? [file] : [file, `${file}.zst`]) {
    // A row may lead to a file of any name: the record in it decides, not the name.
    const compressed = shown.endsWith(".zst");
    const name = parseRolloutName(shown) ?? { threadId: null, createdMs: null, compressed, plain: compressed ? shown.slice(0, -4) : shown };
    const candidate = candidateAt(directory, shown, name, trouble);
    if (candidate !== null) return candidate;
  }
  return null;
}

function candidateAt(directory: string, shown: string, name: RolloutName, trouble: WalkTrouble): Candidate | null {
  const path = join(directory, shown);
  try {
    const stat = statSync(path, { bigint: true });
    if (!stat.isFile()) return null;
    return {
      path,
      plainPath: join(directory, name.plain),
      name,
      dev: String(stat.dev),
      ino: String(stat.ino),
      size: Number(stat.size),
      mtimeUs: Number(stat.mtimeNs / 1000n),
    };
  } catch (error) {
    // Moved away since the listing: it is not there, which is no trouble.
    if (systemCode(error) !== "ENOENT") trouble.failed += 1;
    return null;
  }
}

function list(path: string, trouble: WalkTrouble): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") trouble.failed += 1;
    return [];
  }
}
