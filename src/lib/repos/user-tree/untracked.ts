import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "../../core/index.ts";
import { ensureDir, readRegularFile, writeFileAtomic } from "../../platform/index.ts";
import { treeError } from "./git.ts";

const MAX_FILES = 2000;
const MAX_BYTES = 200 << 20;

/** What tasks put into a directory; never part of a user's work. */
const OURS = new Set([".multica", ".agent_context"]);

/**
 * Copies files that git does not track into a fresh worktree that nobody else writes to (execenv.md 11.3). `names` are
 * relative to `top`. Throws at whatever cannot be had there as it is here: the agent must not see another tree.
 */
export async function copyUntracked(top: string, worktree: string, names: readonly string[]): Promise<void> {
  const wanted = names.filter((name) => !name.split("/").some((segment) => OURS.has(segment)));
  if (wanted.length > MAX_FILES) throw treeError(`${top} has ${wanted.length} untracked files; at most ${MAX_FILES} are taken along`, ADVICE);
  let bytes = 0;
  for (const name of wanted) {
    const from = join(top, ...name.split("/"));
    const facts = await lstat(from).catch((error: unknown) => {
      throw treeError(`the untracked file ${from} cannot be taken along (${systemCode(error) ?? "unknown reason"})`);
    });
    if (facts.isSocket() || facts.isFIFO() || facts.isCharacterDevice() || facts.isBlockDevice()) continue;
    if (!facts.isFile()) throw treeError(`the untracked ${name} in ${top} is no regular file and cannot be taken along`, ADVICE);
    bytes += facts.size;
    if (bytes > MAX_BYTES) throw treeError(`the untracked files in ${top} are larger than ${MAX_BYTES >> 20} MiB together`, ADVICE);
    const data = await readRegularFile(from);
    if (data === undefined) throw treeError(`the untracked file ${from} disappeared`);
    const to = join(worktree, ...name.split("/"));
    await ensureDir(dirname(to));
    await writeFileAtomic(to, data, { mode: (facts.mode & 0o111) === 0 ? 0o644 : 0o755 });
  }
}

const ADVICE = ["Commit those files, list them in .gitignore, or set the resource's execution_mode to in_place."];
