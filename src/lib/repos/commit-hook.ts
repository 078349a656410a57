import { lstatSync } from "node:fs";
import { join } from "node:path";
import { isObject } from "../core/index.ts";
import { ensureDir, removeFile, writeFileAtomic } from "../platform/index.ts";
import { readPlain } from "./refs-text.ts";

const NAME = "prepare-commit-msg";
const MARKER = "# multica:prepare-commit-msg:co-authored-by";
/** Every line by which a hook of ours, of any release, can be told. The list may only grow. */
const SIGNATURES = [MARKER, "# Installed by the Multica daemon."];
const TRAILER = "Co-authored-by: multica-agent <github@multica.ai>";

/** A commit must never fail because of the trailer: whatever happens, the hook ends well. */
const SCRIPT = `#!/bin/sh
${MARKER}
# Adds the agent as co-author, once. Switch it off in the workspace's settings.
case "$2" in
  merge|squash) exit 0 ;;
esac
[ -w "$1" ] || exit 0
grep -qF '${TRAILER}' "$1" && exit 0
git interpret-trailers --in-place --trailer '${TRAILER}' "$1" 2>/dev/null
exit 0
`;

/** Whether the workspace wants the trailer; settings that are missing or make no sense mean yes (repocache.md 11). */
export function coAuthorEnabled(settings: unknown): boolean {
  if (!isObject(settings)) return true;
  if (settings["github_enabled"] === false) return false;
  const own = settings["co_authored_by_enabled"];
  return typeof own === "boolean" ? own : true;
}

/**
 * Installs or removes our commit hook in a git directory that checkouts share, and answers with a warning if there is
 * one. A hook that is not ours is left alone. Never throws: a commit without the trailer is no reason to stop a task.
 */
export async function applyCommitHook(gitDir: string, enabled: boolean): Promise<string | undefined> {
  const directory = join(gitDir, "hooks");
  const path = join(directory, NAME);
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const text = stat?.isFile() === true ? (readPlain(path) ?? "") : "";
    const isOurs = SIGNATURES.some((line) => text.includes(line));
    if (!enabled) {
      if (isOurs) await removeFile(path);
      return undefined;
    }
    if (stat !== undefined && !isOurs) return `the repository has a ${NAME} hook of its own: no co-author trailer is added`;
    if (text === SCRIPT && stat !== undefined && (stat.mode & 0o777) === 0o755) return undefined;
    if (lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() === true) return "the repository's hooks are a link: no co-author trailer is added";
    await ensureDir(directory);
    await writeFileAtomic(path, SCRIPT, { mode: 0o755, durable: false });
    return undefined;
  } catch (error) {
    return `the co-author trailer could not be set up: ${error instanceof Error ? error.message : String(error)}`;
  }
}
