import { lstatSync } from "node:fs";
import { type Clock, removeTree } from "../platform/index.ts";
import type { Base } from "./base.ts";
import { collision, createWithBranch } from "./branches.ts";
import type { BareRepo } from "./repo.ts";

export interface NewCheckout {
  readonly repo: BareRepo;
  readonly path: string;
  readonly base: Base;
  readonly branch: string;
  readonly clock: Clock;
}

/**
 * Adds a linked worktree at `path`, which must be free, on a new branch at `base`; returns the branch made.
 * `--no-track`: a base under `origin/` would become the upstream, and a plain push would go to the default branch (7).
 */
export async function addLinked(input: NewCheckout): Promise<string> {
  const { repo, path, base } = input;
  const existed = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  let leaked: string | undefined;
  try {
    return await createWithBranch(input.branch, {
      clock: input.clock,
      what: "create worktree: git worktree add: ",
      create: async (name) => {
        leaked = name;
        const answer = await repo.run(["worktree", "add", "--no-track", "-b", name, "--", path, base.commit]);
        // After a collision the branch is somebody else's.
        if (collision(answer) !== undefined) leaked = undefined;
        return answer;
      },
    });
  } catch (error) {
    await undo(repo, path, { existed, branch: leaked, commit: base.commit });
    throw error;
  }
}

/** Takes away what a failed `worktree add` leaves: the directory if we made it, the registration, the untouched branch. */
async function undo(repo: BareRepo, path: string, made: { existed: boolean; branch: string | undefined; commit: string }): Promise<void> {
  if (!made.existed) await removeTree(path);
  const fresh = { signal: new AbortController().signal, timeoutMs: 30_000 };
  await repo.run(["worktree", "prune"], fresh);
  if (made.branch !== undefined) await repo.run(["update-ref", "-d", `refs/heads/${made.branch}`, made.commit], fresh);
}
