import { lstatSync, readdirSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { currentPid, lockHolder, readRegularFile, systemClock } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { ENTRY } from "../layout.ts";
import { WORKTREE, endLocalWork, gitMachine, hasWorktree, readWorktree } from "../local/worktree.ts";
import { type Check, finding } from "./check.ts";
import type { Finding } from "./types.ts";

/** The worktree of a task in a user's directory (execenv.md 11.3). */
export const worktreeCheck: Check = {
  id: "worktree",
  section: "environment",
  codes: ["WT_STALE", "WT_PRESERVED"],

  async check({ target, paths }) {
    const tree = await readWorktree(target.root);
    const present = await hasWorktree(target.root);
    if (tree === null && !present) return [];
    const holder = lockHolder(paths.lock);
    if (holder !== null && holder.pid !== currentPid()) return [];
    if (present) return [finding("WT_PRESERVED", { path: WORKTREE, expected: "no worktree after the task", actual: `${join(target.root, WORKTREE)}, branch ${tree?.branch ?? "unknown"}` })];
    return [finding("WT_STALE", { path: WORKTREE, expected: "no registration of a worktree that is gone", actual: `${tree?.branch ?? ""} in ${tree?.top ?? ""}` })];
  },

  async repair({ target }) {
    await endLocalWork(target.root, gitMachine(target.host, systemClock));
    return {};
  },
};

/** Checkouts of the agent that no git command can use any more. Only looked at: an agent wrote everything there. */
export const checkoutsCheck: Check = {
  id: "checkouts",
  section: "environment",
  codes: ["REPO_WORKTREE_BROKEN"],

  async check({ target, paths }) {
    if ((await lookConfined(target.root, ENTRY.workdir))?.isDirectory() !== true) return [];
    const found: Finding[] = [];
    for (const entry of readdirSync(paths.workdir, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const directory = join(paths.workdir, entry.name);
      const leads = /^gitdir: (.+?)\s*$/.exec((await readRegularFile(join(directory, ".git")).catch(() => undefined))?.toString("utf8") ?? "")?.[1];
      if (leads === undefined) continue;
      const gitDir = isAbsolute(leads) ? leads : resolve(directory, leads);
      if (lstatSync(gitDir, { throwIfNoEntry: false }) === undefined) {
        found.push(finding("REPO_WORKTREE_BROKEN", { path: join(ENTRY.workdir, entry.name), expected: "a checkout with a git directory", actual: "its git directory is gone" }));
      }
    }
    return found;
  },
};
