import { join } from "node:path";
import { KeyedMutex, MulticaError, sha256Hex } from "../../core/index.ts";
import { pathExists } from "../../platform/index.ts";
import { isHostile, readConfig } from "../config-guard.ts";
import { type Git, createGit } from "../git.ts";
import type { TreeMachine } from "./types.ts";

/** Longest time of one git command (execenv.md 11.3). */
const LIMIT_MS = 120_000;

/** Git commands that change a user's repository run one at a time, by its common git directory. */
export const userRepos = new KeyedMutex();

export interface Place {
  readonly cwd: string;
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly env?: Record<string, string>;
}

export interface TreeGit {
  readonly git: Git;
  /** Output of a command that has to work; throws `git_failed`. */
  must(place: Place, ...args: string[]): Promise<string>;
  /** Exit code and output of a command that may fail. */
  run(place: Place, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

export function treeGit(machine: TreeMachine): TreeGit {
  const git = createGit(machine);
  const call = (place: Place, args: readonly string[]) => {
    return { args, ...place, timeoutMs: LIMIT_MS, ...(machine.signal === undefined ? {} : { signal: machine.signal }) };
  };
  return {
    git,
    must: async (place, ...args) => (await git.must(`git ${args[0] ?? ""}: `, call(place, args))).replace(/\n$/, ""),
    run: (place, ...args) => git.run(call(place, args)),
  };
}

/** Our own identity, for a commit in a repository whose user has none. */
export async function identityFor(git: TreeGit, place: Place): Promise<Record<string, string>> {
  if ((await git.run(place, "var", "GIT_COMMITTER_IDENT")).code === 0) return {};
  const [name, mail] = ["Multica", "agent@multica.invalid"];
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: mail, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: mail };
}

/** A sum over the settings that let git start programs: an agent that adds one must not have our git obey it. */
export async function configGuard(git: TreeGit, common: string, gitDir: string | undefined): Promise<string> {
  const files = [join(common, "config"), join(common, "config.worktree"), ...(gitDir === undefined ? [] : [join(gitDir, "config.worktree")])];
  const hostile: string[] = [];
  for (const file of files) {
    if (await pathExists(file)) hostile.push(...(await readConfig(git.git, file)).filter(isHostile).map((entry) => `${entry.key}=${entry.value}`));
  }
  return sha256Hex(hostile.join("\n"));
}

export function treeError(what: string, suggestions: readonly string[] = []): MulticaError {
  return new MulticaError("local_directory_error", what, { suggestions, details: { reason: "local_directory_error" } });
}
