import { join } from "node:path";
import { errorText } from "../core/index.ts";
import { type Clock, moveFile, pathExists } from "../platform/index.ts";
import type { Base } from "./base.ts";
import { createWithBranch } from "./branches.ts";
import { cleanConfig, cleanWorktreeConfig } from "./config-guard.ts";
import { type Git, type GitAnswer, type GitCall, gitFailure } from "./git.ts";
import { refreshIsolated } from "./isolated.ts";
import { readRecord } from "./record.ts";
import type { BareRepo } from "./repo.ts";
import { type Rescued, rescueWork } from "./rescue.ts";
import { type Scene, readScene } from "./scene.ts";
import { OVERLOOKED, type Status, excludeText, paths, readStatus } from "./status.ts";
import { type View, withView } from "./view.ts";

export interface ReuseInput {
  readonly git: Git;
  readonly repo: BareRepo;
  readonly scene: Scene;
  readonly clock: Clock;
  readonly base: Base;
  readonly taskId: string;
  /** Branch the task's checkouts are named for. */
  readonly branch: string;
  /** The revision asked for by name; empty: whatever is the default. */
  readonly ref: string;
  readonly url: string;
  /** Age at which a lock file in the cache is nobody's. */
  readonly staleAfterMs: number;
  readonly signal?: AbortSignal;
}

export interface ReuseResult {
  readonly branch: string;
  /** True when it is the task's own work and was left as it is. */
  readonly kept: boolean;
  readonly saved: readonly Rescued[];
  readonly warnings: readonly string[];
}

const OTHER_TASK_STALE_MS = 10_000;

/** What can be said and done about a checkout while its cache is held. */
export interface Open extends ReuseInput {
  readonly view: View;
  readonly status: Status;
  readonly sameTask: boolean;
  readonly owner: string;
  readonly warnings: string[];
  call(args: readonly string[], extra?: Partial<GitCall>): GitCall;
}

/**
 * Opens a checkout that is there: cleans its configuration, then looks at it through a view. `fn` runs while the view
 * exists. Throws `checkout_unreadable` when git can make nothing of it.
 */
async function openCheckout<T>(input: ReuseInput, fn: (open: Open) => Promise<T>): Promise<T> {
  const { git, repo, signal } = input;
  const warnings: string[] = [];
  const { mode, gitDir, path } = input.scene;
  const cleaned = mode === "isolated" ? await cleanConfig(git, gitDir, signal) : { entries: [], removed: await cleanWorktreeConfig(git, gitDir, signal) };
  warnings.push(...cleaned.removed.map((key) => `removed ${key} from the configuration of the checkout`));
  const scene = readScene(input.scene);
  const record = readRecord(scene.gitDir);
  const sameTask = record === undefined ? isNamedFor(scene.branch, input.branch) : record.taskId === input.taskId;
  const stale = sameTask ? input.staleAfterMs : Math.min(OTHER_TASK_STALE_MS, input.staleAfterMs);
  const zones = [...repo.zones, { directory: scene.gitDir, staleAfterMs: stale }];
  const call: Open["call"] = (args, extra = {}) => ({
    args,
    cwd: scene.path,
    gitDir: scene.gitDir,
    workTree: scene.path,
    holds: repo.path,
    lockZones: zones,
    ...(signal === undefined ? {} : { signal }),
    ...extra,
  });
  const objects = [...new Set([join(scene.common, "objects"), join(repo.path, "objects")])];
  const head = scene.head === undefined ? {} : { head: scene.head };
  const options = { cache: repo.path, objects, exclude: excludeText(scene), ...head, ...(signal === undefined ? {} : { signal }) };
  return withView(options, async (view) => {
    const status = await readStatus(git, view, scene);
    if (mode === "isolated") await refreshIsolated({ ...input, path }, cleaned.entries);
    return fn({ ...input, scene, view, status, sameTask, owner: record?.taskId ?? input.taskId, warnings, call });
  });
}

/** `agent/x/1` itself, or with the suffix of a name that was taken (repocache.md 10). */
function isNamedFor(branch: string | undefined, wanted: string): boolean {
  return branch !== undefined && (branch === wanted || branch.startsWith(`${wanted}-`));
}

/**
 * Makes an existing checkout ready for this task (repocache.md 9.2): the task's own work is left alone, anybody else's is
 * saved first. An agent that repeats the command must not destroy what it has.
 */
export async function reuseCheckout(input: ReuseInput): Promise<ReuseResult> {
  return openCheckout(input, async (open) => {
    const { scene, status, warnings } = open;
    const record = readRecord(scene.gitDir);
    const sameRef = open.ref === "" || record === undefined || record.ref === open.ref;
    const own = isNamedFor(scene.branch, open.branch);
    const isClean = status.changes.length === 0 && scene.operations.length === 0;
    if (open.sameTask && sameRef && (!isClean || !own || (await isAhead(open)))) {
      return { branch: scene.branch ?? "", kept: true, saved: [], warnings };
    }
    if (open.sameTask && own && isClean && scene.head === open.base.commit) return { branch: scene.branch ?? "", kept: true, saved: [], warnings };
    const { saved, untrackedSaved } = await rescueWork({ ...open, taskId: open.owner, branches: await doomedBranches(open) });
    if (!untrackedSaved) warnings.push("too much untracked data to save: it was left where it is");
    await endOperations(open);
    await reset(open, isClean, untrackedSaved);
    const branch = await switchBranch(open, open.sameTask && own && isClean && !(await isAhead(open)));
    await deleteBranches(open, branch);
    return { branch, kept: false, saved, warnings };
  });
}

/** True when `HEAD` has commits that the base does not. */
async function isAhead(open: Open): Promise<boolean> {
  const { scene, base, git } = open;
  if (scene.head === undefined || scene.head === base.commit) return false;
  const answer = await git.ask(open.call(["merge-base", "--is-ancestor", scene.head, base.commit]));
  return answer.code !== 0;
}

/** `reset --hard` and a new branch alone would leave an agent inside a rebase (repocache.md 18 o). */
async function endOperations(open: Open): Promise<void> {
  const commands = { rebase: ["rebase", "--quit"], am: ["am", "--quit"], "cherry-pick": ["cherry-pick", "--quit"], revert: ["revert", "--quit"], merge: ["merge", "--quit"] };
  for (const name of open.scene.operations) if (name !== "bisect") await open.git.run(open.call(commands[name]));
}

async function reset(open: Open, isClean: boolean, untrackedSaved: boolean): Promise<void> {
  const { git, view, scene, status } = open;
  // Cleaned by the rules that the rescue went by: what it did not save must not be taken for untracked here.
  if (!isClean && untrackedSaved && status.changes.some((item) => item.code === "??")) {
    const place = { cwd: scene.path, workTree: scene.path, env: { GIT_INDEX_FILE: join(scene.gitDir, "index") } };
    await git.must("update existing worktree: git clean: ", view.call(["clean", "-f", "-d", "-q"], place));
  }
  const overlooked = status.changes.filter((item) => item.code === OVERLOOKED);
  for (const flag of overlooked.length === 0 ? [] : ["--no-assume-unchanged", "--no-skip-worktree"]) {
    await git.must("update existing worktree: git update-index: ", open.call(["update-index", flag, "-z", "--stdin"], { input: paths(overlooked) }));
  }
  if (!isClean && scene.head !== undefined) await git.must("update existing worktree: git reset: ", open.call(["reset", "--hard", "--quiet", scene.head]));
  if (scene.operations.includes("bisect")) await git.run(open.call(["bisect", "reset", "HEAD"]));
}

/** On a branch of the task's own at the base; its present one moves when it has nothing that the base does not have. */
async function switchBranch(open: Open, move: boolean): Promise<string> {
  const { git, base, scene } = open;
  const what = "update existing worktree: git checkout -b: ";
  if (move && scene.branch !== undefined) {
    const answer = await git.run(open.call(["checkout", "--quiet", "--no-track", "-B", scene.branch, base.commit]));
    if (answer.code !== 0) throw gitFailure(what, answer);
    return scene.branch;
  }
  const create = (name: string): Promise<GitAnswer> => git.run(open.call(["checkout", "--quiet", "--no-track", "-b", name, base.commit]));
  return createWithBranch(open.branch, { clock: open.clock, what, create });
}

interface Branch {
  readonly branch: string;
  readonly commit: string;
}

/** Branches of an isolated checkout that earlier tasks left and that have commits no remote has; linked ones stay. */
async function doomedBranches(open: Open): Promise<Branch[]> {
  const found: Branch[] = [];
  for (const item of await agentBranches(open)) {
    const answer = await open.git.ask(open.call(["rev-list", "-n", "1", item.commit, "--not", "--remotes=origin"]));
    if (answer.code !== 0 || answer.stdout.trim() !== "") found.push(item);
  }
  return found;
}

async function agentBranches(open: Open): Promise<Branch[]> {
  if (open.scene.mode === "linked") return [];
  const answer = await open.git.ask(open.call(["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/agent/"]));
  if (answer.code !== 0) throw gitFailure("git for-each-ref: ", answer);
  return answer.stdout.split("\n").flatMap((line) => {
    const [commit = "", ref = ""] = line.split(" ");
    return ref === "" ? [] : [{ commit, branch: ref.slice("refs/heads/".length) }];
  });
}

/** Only what was there, and unchanged, when the rescue looked. A failure costs nothing but tidiness. */
async function deleteBranches(open: Open, keep: string): Promise<void> {
  const old = (await agentBranches(open)).filter((item) => item.branch !== keep);
  if (old.length === 0) return;
  const input = old.map((item) => `delete refs/heads/${item.branch} ${item.commit}\n`).join("");
  const answer = await open.git.run(open.call(["update-ref", "--stdin"], { input }));
  if (answer.code !== 0) open.warnings.push(`old branches of the checkout were not deleted: ${errorText(gitFailure("", answer))}`);
}

/**
 * Takes a linked checkout away so that another kind can have its place: work is saved first, and repositories inside it,
 * which nothing can save, make it step aside as a whole (repocache.md 8).
 */
export async function removeLinked(input: ReuseInput, unfinished = false): Promise<{ saved: readonly Rescued[]; asidePath?: string; kept: boolean }> {
  return openCheckout(input, async (open) => {
    const { scene, status, repo, clock } = open;
    const busy = status.changes.length > 0 || scene.operations.length > 0 || (await isAhead(open));
    if (!unfinished && open.sameTask && busy) return { saved: [], kept: true };
    const { saved, untrackedSaved } = await rescueWork({ ...open, taskId: open.owner, unfinished });
    if (status.nested.length > 0 || !untrackedSaved) {
      const asidePath = await setAside(scene.path, clock);
      await repo.run(["worktree", "prune"]);
      return { saved, asidePath, kept: false };
    }
    await repo.must("remove linked worktree: ", ["worktree", "remove", "--force", "--force", "--", scene.path]);
    if (unfinished) await dropUnused(open);
    return { saved, kept: false };
  });
}

/** The branch of a checkout that was never finished, when nobody has committed to it: the next attempt can have the name. */
async function dropUnused({ scene, repo }: Open): Promise<void> {
  if (scene.branch === undefined || scene.head === undefined) return;
  const ahead = await repo.ask(["rev-list", "-n", "1", scene.head, "--not", "--remotes=origin"]);
  if (ahead.code === 0 && ahead.stdout.trim() === "") await repo.run(["update-ref", "-d", `refs/heads/${scene.branch}`, scene.head]);
}

/** Gives a directory that cannot be used another name beside it; nothing in it is touched (repocache.md 9.4). */
export async function setAside(path: string, clock: Clock): Promise<string> {
  const name = `${path}.broken-${Math.floor(clock.now() / 1000)}`;
  let to = name;
  for (let count = 2; await pathExists(to); count += 1) to = `${name}-${count}`;
  await moveFile(path, to);
  return to;
}
