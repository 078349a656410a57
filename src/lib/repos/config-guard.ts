import { lstatSync } from "node:fs";
import { join, parse } from "node:path";
import { MulticaError } from "../core/index.ts";
import { type Git, gitFailure } from "./git.ts";

export interface ConfigEntry {
  /** As git lists it: section and name in lower case, subsection as written. */
  readonly key: string;
  readonly value: string;
}

/**
 * Keys of a repository's own configuration that make git start a program, talk to somebody else or act on another
 * directory. We never write one of them, so whoever did was an agent (repocache.md 2.1, plus `http.*`: a proxy or a
 * switched-off certificate check would hand out the user's credentials).
 */
const HOSTILE = [
  /^core\.(sshcommand|gitproxy|askpass|alternaterefscommand|worktree)$/,
  /^(credential|protocol|http|includeif|include)\./,
  /^filter\..*\.(smudge|clean|process)$/,
  /^diff\..*\.(command|textconv)$/,
  /^diff\.external$/,
  /^merge\..*\.driver$/,
  /^remote\..*\.(uploadpack|receivepack|proxy|vcs)$/,
  /^url\..*\.(insteadof|pushinsteadof)$/,
  /^gpg\.(.*\.)?program$/,
  /^gc\.recentobjectshook$/,
  /^lfs\.customtransfer\./,
  /^uploadpack\.packobjectshook$/,
];

/** What `git lfs install --local` writes: the one filter of a repository that is kept. */
const LFS: Readonly<Record<string, string>> = {
  "filter.lfs.clean": "git-lfs clean -- %f",
  "filter.lfs.smudge": "git-lfs smudge -- %f",
  "filter.lfs.process": "git-lfs filter-process",
};

/** True for an entry that must not be there when our git works on the repository. */
export function isHostile(entry: ConfigEntry): boolean {
  if (LFS[entry.key] !== undefined) return LFS[entry.key] !== entry.value;
  const first = entry.key.indexOf(".");
  const last = entry.key.lastIndexOf(".");
  const folded = `${entry.key.slice(0, first).toLowerCase()}${entry.key.slice(first, last)}${entry.key.slice(last).toLowerCase()}`;
  return HOSTILE.some((pattern) => pattern.test(folded));
}

/** Entries of one configuration file; includes are not followed and nothing is executed. */
export async function readConfig(git: Git, file: string, signal?: AbortSignal): Promise<ConfigEntry[]> {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) {
    throw new MulticaError("repo_damaged", `git configuration is not a regular file: ${file}`, {
      suggestions: ["Remove the directory: it is made anew."],
    });
  }
  const answer = await git.ask({
    args: ["config", "--file", file, "--list", "-z"],
    cwd: outside(file),
    ...(signal === undefined ? {} : { signal }),
  });
  if (answer.code !== 0) throw gitFailure("read git configuration: ", answer);
  return answer.stdout
    .split("\0")
    .filter((item) => item !== "")
    .map((item) => {
      const end = item.indexOf("\n");
      return end === -1 ? { key: item, value: "" } : { key: item.slice(0, end), value: item.slice(end + 1) };
    });
}

/** Where no repository is: git would load the very configuration that is to be cleaned if it found one around itself. */
function outside(file: string): string {
  return parse(file).root;
}

export interface CleanConfig {
  readonly entries: readonly ConfigEntry[];
  /** Names of the keys that were removed; empty for a repository nobody tampered with. */
  readonly removed: readonly string[];
}

/**
 * Removes hostile entries from a repository's configuration before our git works on it. Removed, not overridden: an
 * empty `insteadOf` matches every URL and an empty `sshCommand` breaks every fetch (repocache.md 2.1).
 */
export async function cleanConfig(git: Git, gitDir: string, signal?: AbortSignal): Promise<CleanConfig> {
  const main = join(gitDir, "config");
  const first = await cleanFile(git, main, signal);
  const perWorktree = first.entries.some((entry) => entry.key === "extensions.worktreeconfig");
  const extra = join(gitDir, "config.worktree");
  if (!perWorktree || lstatSync(extra, { throwIfNoEntry: false }) === undefined) return first;
  const second = await cleanFile(git, extra, signal);
  return { entries: [...first.entries, ...second.entries], removed: [...first.removed, ...second.removed] };
}

async function cleanFile(git: Git, file: string, signal?: AbortSignal): Promise<CleanConfig> {
  const entries = await readConfig(git, file, signal);
  const removed = [...new Set(entries.filter(isHostile).map((entry) => entry.key))];
  for (const key of removed) {
    await git.must("clean git configuration: ", {
      args: ["config", "--file", file, "--unset-all", key],
      cwd: outside(file),
      ...(signal === undefined ? {} : { signal }),
    });
  }
  return { entries: entries.filter((entry) => !removed.includes(entry.key)), removed };
}
