import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { errorText } from "../core/index.ts";
import type { Clock, Env } from "../platform/index.ts";
import { isHostile, readConfig } from "./config-guard.ts";
import { type Git, createGit } from "./git.ts";

const MAX_DEPTH = 4;
const MAX_DIRECTORIES = 5000;

export interface UnpushedWork {
  /** Absolute path of the checkout. */
  readonly path: string;
  /** What would be lost, in words: "3 commits on no remote", "uncommitted changes", or why it cannot be told. */
  readonly what: string;
}

/**
 * The git checkouts below a directory whose work exists nowhere else: changes that are not committed, commits on no
 * remote, stashes. Changes nothing. An agent may have written everything there, so a repository whose configuration
 * could start programs is not asked at all: what cannot be told counts as work.
 */
export async function findUnpushedWork(options: {
  readonly directory: string;
  readonly clock: Clock;
  readonly env: Readonly<Env>;
  readonly signal?: AbortSignal;
}): Promise<UnpushedWork[]> {
  const { checkouts, complete } = findCheckouts(options.directory);
  const found: UnpushedWork[] = complete ? [] : [{ path: options.directory, what: "too many directories to look for checkouts" }];
  const git = createGit(options);
  for (const path of checkouts) {
    const what = await lookAt(git, path, options.signal).catch((error: unknown) => `cannot be looked at: ${errorText(error)}`);
    if (what !== null) found.push({ path, what });
  }
  return found;
}

async function lookAt(git: Git, path: string, signal: AbortSignal | undefined): Promise<string | null> {
  const place = gitDirectories(path);
  if (place === null) return "its git directory is gone";
  for (const file of [join(place.common, "config"), join(place.own, "config.worktree"), join(place.common, "config.worktree")]) {
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) continue;
    if ((await readConfig(git, file, signal)).some(isHostile)) return "its git configuration could start programs, so git is not asked";
  }
  const ask = async (args: readonly string[]): Promise<{ code: number; stdout: string }> =>
    git.ask({ args: ["--no-optional-locks", ...args], cwd: path, gitDir: place.own, workTree: path, ...(signal === undefined ? {} : { signal }) });
  const status = await ask(["status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=none"]);
  if (status.code !== 0) return "git cannot read it";
  if (status.stdout !== "") return "uncommitted changes";
  if ((await ask(["rev-parse", "--verify", "--quiet", "refs/stash"])).code === 0 && place.own === place.common) return "stashed changes";
  // A linked checkout shares its repository with others: only its own branch is its work.
  const tips = place.own === place.common ? ["--branches"] : [];
  const head = (await ask(["rev-parse", "--verify", "--quiet", "HEAD"])).code === 0 ? ["HEAD"] : [];
  if (tips.length + head.length === 0) return null;
  const count = await ask(["rev-list", "--count", ...head, ...tips, "--not", "--remotes"]);
  if (count.code !== 0) return "git cannot count its commits";
  const commits = Number(count.stdout.trim());
  return commits === 0 ? null : `${commits} ${commits === 1 ? "commit" : "commits"} on no remote`;
}

/** The git directory of a checkout and the one it shares with others; the same for a repository of its own. */
function gitDirectories(path: string): { own: string; common: string } | null {
  const dotGit = join(path, ".git");
  const stat = lstatSync(dotGit, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return { own: dotGit, common: dotGit };
  const target = stat?.isFile() === true ? /^gitdir: (.+?)\s*$/.exec(readFileSync(dotGit, "utf8"))?.[1] : undefined;
  if (target === undefined) return null;
  const own = isAbsolute(target) ? target : resolve(path, target);
  if (lstatSync(own, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  const pointer = join(own, "commondir");
  if (lstatSync(pointer, { throwIfNoEntry: false })?.isFile() !== true) return { own, common: own };
  return { own, common: resolve(own, readFileSync(pointer, "utf8").trim()) };
}

/** Directories that hold a `.git`, links not followed; the inside of a checkout is looked through as well. */
function findCheckouts(root: string): { checkouts: string[]; complete: boolean } {
  const checkouts: string[] = [];
  let seen = 0;
  const visit = (directory: string, depth: number): boolean => {
    seen += 1;
    if (seen > MAX_DIRECTORIES) return false;
    if (lstatSync(join(directory, ".git"), { throwIfNoEntry: false }) !== undefined) checkouts.push(directory);
    if (depth === MAX_DEPTH) return true;
    return directoriesIn(directory).every((name) => visit(join(directory, name), depth + 1));
  };
  const complete = lstatSync(root, { throwIfNoEntry: false })?.isDirectory() === true ? visit(root, 0) : true;
  return { checkouts, complete };
}

function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== ".git" && entry.name !== "node_modules")
    .map((entry) => entry.name);
}
