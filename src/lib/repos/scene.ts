import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { branchOfHead } from "./layout.ts";
import { isObjectId, readPlain, refValue } from "./refs-text.ts";

/** A checkout as its files tell it; no git ran to find this out. */
export interface Scene {
  readonly path: string;
  readonly mode: "linked" | "isolated";
  /** Where this checkout's `HEAD` and index are: its registration in the cache, or its own `.git`. */
  readonly gitDir: string;
  /** Where its refs and objects are: the cache, or its own `.git`. */
  readonly common: string;
  /** Branch that `HEAD` names; undefined when detached. */
  readonly branch: string | undefined;
  /** Commit of `HEAD`; undefined for a branch without commits. */
  readonly head: string | undefined;
  /** Commits that only a half-done operation knows. */
  readonly pending: readonly string[];
  /** Half-done operations. */
  readonly operations: readonly Operation[];
  /** Names git gives such states: links in a git directory lead out of it. */
  readonly fault: string | undefined;
}

export type Operation = "rebase" | "am" | "cherry-pick" | "revert" | "bisect" | "merge";

const PSEUDO = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD"];
const OWN = ["HEAD", "config", "index", "objects", "refs", "packed-refs", "info", "logs", "hooks", "config.worktree"];

export function readScene(place: { readonly path: string; readonly mode: "linked" | "isolated"; readonly gitDir: string; readonly common: string }): Scene {
  const { gitDir, common } = place;
  const head = readPlain(join(gitDir, "HEAD"))?.trim() ?? "";
  const branch = branchOfHead(join(gitDir, "HEAD"));
  const commit = branch === undefined ? head : refValue(common, `refs/heads/${branch}`);
  const pending = PSEUDO.flatMap((name) => (readPlain(join(gitDir, name)) ?? "").split("\n").map((line) => line.trim())).filter(isObjectId);
  return {
    ...place,
    branch,
    head: commit !== undefined && isObjectId(commit) ? commit : undefined,
    pending: [...new Set(pending)].filter((id) => id !== commit),
    operations: operationsIn(gitDir),
    fault: faultOf(place),
  };
}

function operationsIn(gitDir: string): Operation[] {
  const has = (...parts: string[]): boolean => lstatSync(join(gitDir, ...parts), { throwIfNoEntry: false }) !== undefined;
  const sequencer = has("sequencer");
  return [
    ...(has("rebase-merge") || (has("rebase-apply") && !has("rebase-apply", "applying")) ? (["rebase"] as const) : []),
    ...(has("rebase-apply", "applying") ? (["am"] as const) : []),
    ...(has("CHERRY_PICK_HEAD") || (sequencer && !has("REVERT_HEAD")) ? (["cherry-pick"] as const) : []),
    ...(has("REVERT_HEAD") ? (["revert"] as const) : []),
    ...(has("BISECT_LOG") ? (["bisect"] as const) : []),
    ...(has("MERGE_HEAD") ? (["merge"] as const) : []),
  ];
}

/** Why git may not be let into this git directory: it is no whole repository, or it leads somewhere else (repocache.md 9.4). */
function faultOf({ gitDir, common, mode }: { readonly gitDir: string; readonly common: string; readonly mode: string }): string | undefined {
  for (const name of OWN) if (lstatSync(join(gitDir, name), { throwIfNoEntry: false })?.isSymbolicLink() === true) return `${name} of its git directory is a link`;
  if (readPlain(join(gitDir, "HEAD")) === undefined) return "its git directory has no HEAD";
  const pointer = readPlain(join(gitDir, "commondir"))?.trim();
  if (mode === "linked") return pointer === "../.." ? undefined : "its git directory names another repository";
  if (lstatSync(join(gitDir, "commondir"), { throwIfNoEntry: false }) !== undefined) return "its git directory names another repository";
  if (lstatSync(join(gitDir, "objects", "info", "alternates"), { throwIfNoEntry: false }) !== undefined) return "it borrows objects from another repository";
  const isDirectory = (name: string): boolean => lstatSync(join(common, name), { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory("objects") || !isDirectory("refs")) return "its git directory is not whole";
  return linkBelow(join(gitDir, "refs"), 6) ? "its git directory holds links" : undefined;
}

function linkBelow(directory: string, depth: number): boolean {
  if (depth === 0) return false;
  return readdirSync(directory, { withFileTypes: true }).some(
    (entry) => entry.isSymbolicLink() || (entry.isDirectory() && linkBelow(join(directory, entry.name), depth - 1)),
  );
}
