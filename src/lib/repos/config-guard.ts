import { lstatSync } from "node:fs";
import { join, parse } from "node:path";
import { MulticaError, sha256Hex } from "../core/index.ts";
import { type Git, gitFailure } from "./git.ts";
import { readPlain } from "./refs-text.ts";

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
  const text = readPlain(file);
  if (text === undefined) {
    throw new MulticaError("repo_damaged", `git configuration is not a regular file: ${file}`, {
      suggestions: ["Remove the directory: it is made anew."],
    });
  }
  return parseConfig(git, text, outside(file), signal);
}

/** The entries of this very text: what is judged is what was read, whatever becomes of the file meanwhile. */
async function parseConfig(git: Git, text: string, cwd: string, signal?: AbortSignal): Promise<ConfigEntry[]> {
  const answer = await git.run({ args: ["config", "--file", "-", "--no-includes", "--list", "-z"], cwd, input: text, timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) });
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
export async function cleanConfig(git: Git, gitDir: string, signal?: AbortSignal, known?: Map<string, CleanConfig>): Promise<CleanConfig> {
  const main = join(gitDir, "config");
  const text = readPlain(main);
  // The very bytes that were found clean before need no second look.
  const key = text === undefined ? undefined : sha256Hex(`${main}\n${text}`);
  const before = key === undefined ? undefined : known?.get(key);
  if (before !== undefined) return before;
  if (text !== undefined && key !== undefined && known !== undefined) {
    const entries = await parseConfig(git, text, outside(main), signal);
    if (!entries.some((entry) => isHostile(entry) || isPerWorktree(entry))) {
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(key, { entries, removed: [] });
      return { entries, removed: [] };
    }
  }
  return cleanFiles(git, gitDir, signal);
}

/** The configuration that one linked checkout has for itself. */
export async function cleanWorktreeConfig(git: Git, gitDir: string, signal?: AbortSignal): Promise<readonly string[]> {
  const file = join(gitDir, "config.worktree");
  return lstatSync(file, { throwIfNoEntry: false }) === undefined ? [] : (await cleanFile(git, file, signal)).removed;
}

const MAX_KNOWN = 1000;

function isPerWorktree(entry: ConfigEntry): boolean {
  return entry.key === "extensions.worktreeconfig";
}

async function cleanFiles(git: Git, gitDir: string, signal?: AbortSignal): Promise<CleanConfig> {
  const main = join(gitDir, "config");
  const first = await cleanFile(git, main, signal);
  const perWorktree = first.entries.some(isPerWorktree);
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
