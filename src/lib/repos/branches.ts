import type { Clock } from "../platform/index.ts";
import { type GitAnswer, gitFailure } from "./git.ts";
import { otherBranchNames } from "./names.ts";

/** How git says that a branch cannot have this name. A path that is taken must not match: each retry would leak a branch. */
export function collision(answer: GitAnswer): "same" | "prefix" | undefined {
  if (answer.code === 0) return undefined;
  if (/a branch named/i.test(answer.stderr)) return "same";
  return /cannot lock ref/.test(answer.stderr) && /exists/.test(answer.stderr) ? "prefix" : undefined;
}

/**
 * Calls `create` with the branch's name, and after a collision with a few others (repocache.md 10).
 * Returns the name that was made; any other failure is a `git_failed` error beginning with `what`.
 */
export async function createWithBranch(
  branch: string,
  options: { readonly clock: Clock; readonly what: string; readonly create: (name: string) => Promise<GitAnswer> },
): Promise<string> {
  let answer = await options.create(branch);
  if (answer.code === 0) return branch;
  const first = collision(answer);
  const others = first === undefined ? [] : otherBranchNames(branch, options.clock.now(), first === "prefix");
  for (const name of others) {
    answer = await options.create(name);
    if (answer.code === 0) return name;
    if (collision(answer) === undefined) break;
  }
  throw gitFailure(options.what, answer);
}
