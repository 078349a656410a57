import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorText } from "../../core/index.ts";
import { deadline } from "../../platform/index.ts";
import { branchName } from "../../repos/index.ts";
import type { TaskRun } from "./run.ts";

const MAX_DIRECTORIES = 2000;
const MAX_DEPTH = 3;
const COLLECT_MS = 2 * 60_000;

export interface FoundCheckout {
  readonly path: string;
  /** A linked checkout keeps its commits in the cache by itself; an isolated one has its own git directory. */
  readonly mode: "linked" | "isolated";
  /** The branch that is checked out; empty for a detached HEAD. */
  readonly branch: string;
  /** For an isolated one: what its configuration says of its origin. The agent may have written it. */
  readonly origin: string;
}

/**
 * The git checkouts below a workdir, found by looking only: no git runs, since every file there is the agent's.
 * Bounded in depth and number; links are not followed.
 */
export function findCheckouts(workdir: string): FoundCheckout[] {
  const found: FoundCheckout[] = [];
  let queue = [workdir];
  let seen = 0;
  for (let depth = 0; depth <= MAX_DEPTH && queue.length > 0; depth += 1) {
    const next: string[] = [];
    for (const directory of queue) {
      seen += 1;
      if (seen > MAX_DIRECTORIES) return found;
      const checkout = depth === 0 ? null : inspect(directory);
      if (checkout !== null) found.push(checkout);
      else next.push(...directories(directory));
    }
    queue = next;
  }
  return found;
}

/**
 * Takes what the agent committed in isolated checkouts over into the caches, so that it outlives the task's directory,
 * and notes the branch for the report. To be called when the agent's processes are gone. A failure is a warning:
 * the work is still in the workdir.
 */
export async function collectCheckouts(run: Pick<TaskRun, "ctx" | "task" | "job" | "logger" | "known">): Promise<void> {
  const { ctx, task, job, logger, known } = run;
  // Also for a user's own directory: the repositories in it are the user's.
  if (!known.ownWorkDir) return;
  const checkouts = findCheckouts(known.workDir);
  known.branchName = checkouts.find((checkout) => checkout.branch !== "")?.branch ?? known.branchName;
  for (const checkout of checkouts.filter((one) => one.mode === "isolated")) {
    const limit = deadline(ctx.clock, COLLECT_MS);
    try {
      if (checkout.origin === "" || !ctx.repoCache.isCached(task.workspace_id, checkout.origin)) {
        logger.debug("checkout without a cache", { path: checkout.path });
        continue;
      }
      const cache = ctx.repoCache.cachePath(task.workspace_id, checkout.origin);
      const branch = branchName(job.agent.name, task.id);
      const taken = await ctx.repoCache.collect({ path: checkout.path, cache, taskId: task.id, branchName: branch, signal: limit.signal });
      for (const one of taken) logger.info("commits collected", { ref: one.ref, commit: one.commit });
    } catch (error) {
      logger.warn("commits of a checkout could not be collected", { path: checkout.path, error: errorText(error) });
    } finally {
      limit.done();
    }
  }
}

function inspect(directory: string): FoundCheckout | null {
  try {
    return inspectGit(directory);
  } catch {
    // Unreadable, or gone meanwhile: not something to take commits from.
    return null;
  }
}

function inspectGit(directory: string): FoundCheckout | null {
  const dotGit = join(directory, ".git");
  const stat = lstatSync(dotGit, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (stat.isDirectory()) {
    return { path: directory, mode: "isolated", branch: headBranch(dotGit), origin: originUrl(plain(join(dotGit, "config"))) };
  }
  const registration = /^gitdir: (.+?)\s*$/.exec(plain(dotGit))?.[1] ?? "";
  if (registration === "" || basename(dirname(registration)) !== "worktrees") return null;
  return { path: directory, mode: "linked", branch: headBranch(registration), origin: "" };
}

function headBranch(gitDir: string): string {
  return /^ref: refs\/heads\/(\S+)\s*$/.exec(plain(join(gitDir, "HEAD")))?.[1] ?? "";
}

/** The `url` of the section `[remote "origin"]`, read as text. */
function originUrl(config: string): string {
  const section = /^\s*\[remote "origin"\]\s*$([^[]*)/m.exec(config)?.[1] ?? "";
  return /^\s*url\s*=\s*(.+?)\s*$/m.exec(section)?.[1] ?? "";
}

/** A small regular file's text; empty for everything else. */
function plain(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size < 1024 * 1024 ? readFileSync(path, "utf8") : "";
}

function directories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
      .map((entry) => join(directory, entry.name))
      .sort();
  } catch {
    return [];
  }
}
