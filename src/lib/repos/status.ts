import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MulticaError } from "../core/index.ts";
import { copyFile, setFileTime } from "../platform/index.ts";
import { type Git, gitFailure } from "./git.ts";
import type { Scene } from "./scene.ts";
import type { View } from "./view.ts";

export interface Change {
  /** Relative to the checkout, as git writes it. */
  readonly path: string;
  /** Two letters of `git status --porcelain`; `hh` for a changed file whose changes git was told to overlook. */
  readonly code: string;
  /** False when nothing is at the path any more: no bytes to save there. */
  readonly present: boolean;
}

export interface Status {
  readonly changes: readonly Change[];
  /** Repositories inside the checkout: git leaves them where they are, and so do we. */
  readonly nested: readonly string[];
  /** The index to work from: a copy inside the view, with every entry of the checkout's own. */
  readonly index: string;
  /** False when names are not UTF-8 and cannot be carried as text: only git itself can name them. */
  readonly exact: boolean;
}

/** Thrown when git cannot make sense of the checkout: it is set aside then, not repaired. */
function unreadable(scene: Scene, cause: unknown): MulticaError {
  return new MulticaError("checkout_unreadable", `git cannot read ${scene.path}`, { cause });
}

/**
 * What in a checkout differs from its `HEAD`, ignored files left out, seen through a view: no configuration, hook or
 * filter of the repository takes part, and submodules and repositories inside are not entered.
 */
export async function readStatus(git: Git, view: View, scene: Scene): Promise<Status> {
  const index = join(view.path, "index");
  const own = join(scene.gitDir, "index");
  if (lstatSync(own, { throwIfNoEntry: false })?.isFile() === true) await copyIndex(own, index);
  const call = (args: readonly string[]): ReturnType<View["call"]> => view.call(args, { cwd: scene.path, workTree: scene.path, timeoutMs: STATUS_MS, env: { GIT_INDEX_FILE: index } });
  let listed = await git.ask(call(["ls-files", "-s", "-v", "-z"]));
  if (listed.code !== 0 || listed.stdout === "") {
    // No index (the making was cut off), or one that needs other files of its git directory: `HEAD` says what belongs there.
    if (scene.head !== undefined) {
      const read = await git.run(call(["read-tree", "--reset", scene.head]));
      if (read.code !== 0) throw unreadable(scene, gitFailure("git read-tree: ", read));
    }
    listed = await git.ask(call(["ls-files", "-s", "-v", "-z"]));
  }
  const entries = parseEntries(listed.stdout);
  const answer = await git.ask(call(["--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all"]));
  if (answer.code !== 0) throw unreadable(scene, gitFailure("git status: ", answer));
  const present = (path: string): boolean => isFileOrLink(join(scene.path, path));
  const seen = parseStatus(answer.stdout);
  const overlooked = entries.flatMap((entry) => (entry.overlooked && present(entry.path) ? [{ path: entry.path, code: OVERLOOKED, present: true }] : []));
  return {
    changes: [...seen.filter((item) => !item.path.endsWith("/") && !isRepository(scene, item.path)).map((item) => ({ ...item, present: present(item.path) })), ...overlooked],
    nested: seen.filter((item) => item.path.endsWith("/") || isRepository(scene, item.path)).map((item) => item.path),
    index,
    exact: !answer.stdout.includes("\ufffd"),
  };
}

const STATUS_MS = 120_000;

/** The code of a file whose changes git was told to overlook. */
export const OVERLOOKED = "hh";

/** For a command that reads paths from its input, each ended by NUL. */
export function paths(changes: readonly Change[]): string {
  return changes.map((item) => `${item.path}\0`).join("");
}

/** The copy's time lies before the original's, so that git compares the content of every entry it could be wrong about. */
async function copyIndex(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await setFileTime(to, Math.floor(lstatSync(from).mtimeMs / 1000));
}

interface Entry {
  readonly path: string;
  /** Git was told to take the file for unchanged. */
  readonly overlooked: boolean;
}

/** `H 100644 <id> 0\t<path>`: a lower-case letter is `assume-unchanged`, `S` is `skip-worktree`; 160000 is a submodule. */
function parseEntries(text: string): Entry[] {
  return text.split("\0").flatMap((line) => {
    const match = /^(\S) (\d+) [0-9a-f]+ \d\t(.+)$/s.exec(line);
    if (match === null || match[2] === "160000") return [];
    const tag = match[1] ?? "";
    return tag === "S" || tag !== tag.toUpperCase() ? [{ path: match[3] ?? "", overlooked: true }] : [];
  });
}

function parseStatus(text: string): { path: string; code: string }[] {
  return text
    .split("\0")
    .filter((line) => line.length > 3)
    .map((line) => ({ code: line.slice(0, 2), path: line.slice(3) }));
}

function isFileOrLink(path: string): boolean {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true || stat?.isSymbolicLink() === true;
  } catch {
    return false;
  }
}

function isRepository(scene: Scene, path: string): boolean {
  try {
    return lstatSync(join(scene.path, path, ".git"), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** The text of the ignore rules that the checkout's own `info/exclude` holds. */
export function excludeText(scene: Scene): string {
  const file = join(scene.common, "info", "exclude");
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file, "utf8") : "";
}
