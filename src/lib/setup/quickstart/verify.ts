import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { UserApi } from "../../api/index.ts";
import { MulticaError, taskKey } from "../../core/index.ts";
import type { Env } from "../../platform/index.ts";
import type { Comment, Issue, TaskRow } from "../../wire/index.ts";
import { git } from "./git.ts";

export interface Evidence {
  readonly issue: Issue;
  readonly comment: string;
  readonly cache: string;
  readonly branch: string;
  readonly commit: string;
  readonly filesChanged: number;
  readonly diffStat: string;
}

export interface VerifyOptions {
  readonly api: UserApi;
  readonly env: Env;
  readonly workspacesRoot: string;
  readonly workspaceId: string;
  readonly issueId: string;
  readonly task: TaskRow;
}

const FINAL = new Set(["in_review", "done"]);

/**
 * Looks for the proof that the work of a completed task was done, not for somebody's word: the issue in its final status,
 * a comment of the agent, and the commit as an object in the repository's cache.
 */
export async function verify(options: VerifyOptions): Promise<Evidence> {
  const { task } = options;
  const issue = await options.api.issue(options.issueId);
  if (!FINAL.has(issue.status)) throw new MulticaError("issue_not_final", `the issue is ${issue.status}, not in review or done`);
  const comment = await agentComment(options);
  const cache = cachePath(options);
  const branch = await taskBranch(options.env, cache, task.id);
  const commit = await git(options.env, cache, "rev-parse", "--verify", `${branch}^{commit}`);
  const kind = await git(options.env, cache, "cat-file", "-t", commit);
  if (kind !== "commit") throw new MulticaError("no_commit", `${commit} is a ${kind}, not a commit`);
  const base = await git(options.env, cache, "rev-parse", "--verify", "HEAD");
  if (base === commit) throw new MulticaError("no_commit", "the agent's branch has no commit of its own");
  const names = await git(options.env, cache, "diff", "--name-only", base, commit);
  return {
    issue,
    comment,
    cache,
    branch,
    commit,
    filesChanged: names.split("\n").filter((line) => line !== "").length,
    diffStat: await git(options.env, cache, "diff", "--stat", base, commit),
  };
}

async function agentComment(options: VerifyOptions): Promise<string> {
  const comments = (await options.api.comments(options.issueId)).body as Comment[];
  const comment = comments.findLast((candidate) => candidate.author_type === "agent");
  if (comment === undefined) throw new MulticaError("no_comment", "the agent left no comment on the issue");
  return comment.content;
}

/** The bare cache below the scratch root: quickstart uses one repository, so there is exactly one. */
function cachePath(options: VerifyOptions): string {
  const root = join(options.workspacesRoot, ".repos", options.workspaceId);
  const caches = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name.endsWith(".git"));
  const cache = caches[0];
  if (cache === undefined || caches.length > 1) throw new MulticaError("no_cache", `expected one repository below ${root}, found ${caches.length}`);
  return join(root, cache.name);
}

/** The branch of this task: its name ends with the task's key (repocache.md 10). */
async function taskBranch(env: Env, cache: string, taskId: string): Promise<string> {
  const refs = (await git(env, cache, "for-each-ref", "--format=%(refname)")).split("\n");
  const ref = refs.find((name) => name.endsWith(taskKey(taskId)) || name.includes(`/${taskKey(taskId)}/`));
  if (ref === undefined) throw new MulticaError("no_branch", "the repository's cache has no branch of this task");
  return ref.replace(/^refs\/heads\//, "");
}
