import { lstatSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { errorText } from "../core/index.ts";
import type { Clock, Env } from "../platform/index.ts";
import { findCheckouts, gitDirectories } from "./below.ts";
import { isHostile, readConfig } from "./config-guard.ts";
import { type Git, createGit } from "./git.ts";

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
  readonly signal?: AbortSignal | undefined;
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
  if (await isDangerous(git, place, signal)) return "its git configuration could start programs, so git is not asked";
  const ask = async (args: readonly string[]): Promise<{ code: number; stdout: string }> =>
    git.ask({ args: ["--no-optional-locks", ...args], cwd: path, gitDir: place.own, workTree: path, ...(signal === undefined ? {} : { signal }) });
  const status = await ask(["status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=none"]);
  if (status.code !== 0) return "git cannot read it";
  if (status.stdout !== "") return "uncommitted changes";
  // A lower-case letter or S: whatever became of the file since, `status` was told not to say it.
  const listed = await ask(["ls-files", "-v", "-z"]);
  const overlooked = listed.stdout.split("\0").filter((line) => /^([a-z]|S) /.test(line)).map((line) => line.slice(2));
  if (listed.code !== 0 || overlooked.some((name) => lstatSync(join(path, name), { throwIfNoEntry: false }) !== undefined)) return "files whose changes git was told to overlook";
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

async function isDangerous(git: Git, place: { own: string; common: string }, signal: AbortSignal | undefined): Promise<boolean> {
  for (const file of [join(place.common, "config"), join(place.own, "config.worktree"), join(place.common, "config.worktree")]) {
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) continue;
    if ((await readConfig(git, file, signal)).some(isHostile)) return true;
  }
  return false;
}

/**
 * Of these directories, all below `within`, those that git ignores or that lie in no checkout: what a build can make
 * again. One that holds a file of the repository's, or one that nobody told git to ignore, is somebody's work.
 */
export async function onlyIgnored(
  directories: readonly string[],
  options: { readonly within: string; readonly clock: Clock; readonly env: Readonly<Env>; readonly signal?: AbortSignal },
): Promise<string[]> {
  const git = createGit(options);
  const found: string[] = [];
  for (const path of directories) if (await isIgnored(git, path, options).catch(() => false)) found.push(path);
  return found;
}

async function isIgnored(git: Git, path: string, { within, signal }: { readonly within: string; readonly signal?: AbortSignal }): Promise<boolean> {
  let checkout = dirname(path);
  while (lstatSync(join(checkout, ".git"), { throwIfNoEntry: false }) === undefined) {
    if (checkout === within || checkout === dirname(checkout)) return true;
    checkout = dirname(checkout);
  }
  const place = gitDirectories(checkout);
  if (place === null || (await isDangerous(git, place, signal))) return false;
  const args = ["--no-optional-locks", "--literal-pathspecs", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", relative(checkout, path)];
  const answer = await git.ask({ args, cwd: checkout, gitDir: place.own, workTree: checkout, ...(signal === undefined ? {} : { signal }) });
  return answer.code === 0 && answer.stdout === "";
}
