import { lstatSync } from "node:fs";
import { join } from "node:path";
import { MulticaError, errorText, isMulticaError, taskKey } from "../core/index.ts";
import { type Clock, writeFileAtomic } from "../platform/index.ts";
import type { Git, GitCall } from "./git.ts";
import { importRefs } from "./import-refs.ts";
import { refValue } from "./refs-text.ts";
import type { BareRepo } from "./repo.ts";
import type { Scene } from "./scene.ts";
import { type Change, OVERLOOKED, type Status, paths } from "./status.ts";
import type { NewRef, View } from "./view.ts";

/** Work that was saved: `ref` lies in the cache, wherever the checkout keeps its own refs. */
export interface Rescued {
  readonly ref: string;
  readonly commit: string;
  /** Files that were not committed; 0 for commits that no branch led to. */
  readonly files: number;
}

export const RESCUE = "refs/multica/rescue/";

export interface RescueInput {
  readonly git: Git;
  readonly view: View;
  readonly repo: BareRepo;
  readonly scene: Scene;
  readonly status: Status;
  /** The task whose work it is. */
  readonly taskId: string;
  readonly clock: Clock;
  /** Branches that are about to go: name and commit. */
  readonly branches?: readonly { readonly branch: string; readonly commit: string }[];
  /** The making of the checkout was cut off: that files are missing is no work of anybody's. */
  readonly unfinished?: boolean;
  readonly signal?: AbortSignal;
}

export interface Rescue {
  readonly saved: readonly Rescued[];
  /** False when there is too much untracked data to save: it must stay where it is. */
  readonly untrackedSaved: boolean;
}

const LIMIT_MS = 120_000;
const UNTRACKED_CAP = 2 * 1024 ** 3;
const IDENTITY = "multica-agent <github@multica.ai>";
/** Bytes as they are: no line ends, filters or encodings of anybody's making. */
const RAW = "* -text -filter -ident -working-tree-encoding\n";

/**
 * Writes what a checkout holds and no branch does to refs in the cache: uncommitted and untracked files, what is staged
 * and differs from the file, commits of a detached `HEAD`, the other side of a merge (repocache.md 9.3). Nothing in the
 * checkout changes. Throws `rescue_failed`: then nothing may be discarded.
 */
export async function rescueWork(input: RescueInput): Promise<Rescue> {
  try {
    return await save(input);
  } catch (error) {
    input.signal?.throwIfAborted();
    if (isMulticaError(error, "checkout_unreadable")) throw error;
    throw new MulticaError("rescue_failed", `cannot save uncommitted work in ${input.scene.path}: ${errorText(error)}`, {
      cause: error,
      suggestions: ["Nothing was changed there. Save or move the directory yourself, then check out again."],
      retry: "later",
    });
  }
}

async function save(input: RescueInput): Promise<Rescue> {
  const { scene, status, clock, repo } = input;
  const untracked = status.changes.filter((item) => item.code === "??");
  const untrackedSaved = untracked.reduce((total, item) => total + size(scene, item), 0) <= UNTRACKED_CAP;
  const changes = untrackedSaved ? status.changes : status.changes.filter((item) => item.code !== "??");
  const ref = freeName(repo.path, `${RESCUE}${taskKey(input.taskId).toLowerCase()}/${Math.floor(clock.now() / 1000)}`);
  const refs: (NewRef & { files: number })[] = [];
  const commit = await snapshot(input, changes);
  const orphans = await unreachable(input, commit === undefined);
  if (commit !== undefined) refs.push({ ref, commit, files: changes.length });
  else orphans.forEach((id, at) => refs.push({ ref: at === 0 ? ref : `${ref}-${at + 1}`, commit: id, files: 0 }));
  for (const branch of input.branches ?? []) refs.push({ ref: branchRescueName(repo.path, branch), commit: branch.commit, files: 0 });
  await publish(input, refs);
  return { saved: refs, untrackedSaved };
}

function size(scene: Scene, change: Change): number {
  return change.present ? (lstatSync(join(scene.path, change.path), { throwIfNoEntry: false })?.size ?? 0) : 0;
}

/** Where the commits of a branch are kept that goes; a branch `a` and a later `a/b` cannot both have their own name there. */
export function branchRescueName(bare: string, { branch, commit }: { readonly branch: string; readonly commit: string }): string {
  const parts = branch.split("/");
  const above = parts.slice(0, -1).map((_, at) => `${RESCUE}branch/${parts.slice(0, at + 1).join("/")}`);
  const blocked = above.some((name) => refValue(bare, name) !== undefined);
  return freeName(bare, `${RESCUE}branch/${blocked ? parts.join("+") : branch}`, commit);
}

/** A ref name that nothing else has; one that has this very commit will do. */
function freeName(bare: string, wanted: string, commit?: string): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted}-${count}`;
    const found = refValue(bare, name);
    const isDirectory = lstatSync(join(bare, name), { throwIfNoEntry: false })?.isDirectory() === true;
    if ((found === undefined || found === commit) && !isDirectory) return name;
  }
}

/** The commit that holds every byte of these changes, or undefined when they come to nothing. */
async function snapshot(input: RescueInput, changes: readonly Change[]): Promise<string | undefined> {
  const { git, view, scene, status } = input;
  if (changes.length === 0 || (input.unfinished === true && changes.every((item) => !item.present))) return undefined;
  await writeFileAtomic(join(view.path, "info", "attributes"), RAW, { durable: false });
  const call = (args: readonly string[], extra: Partial<GitCall> = {}): GitCall =>
    view.call(args, { cwd: scene.path, workTree: scene.path, timeoutMs: LIMIT_MS, ...extra, env: { ...target(input), GIT_INDEX_FILE: status.index, ...extra.env } });
  const stagedTree = await stagedElsewhere(git, call, changes);
  await addAll(git, call, status, changes);
  const tree = (await git.must("git write-tree: ", call(["write-tree", "--missing-ok"]))).trim();
  if (scene.head !== undefined && stagedTree === undefined && scene.pending.length === 0) {
    const same = await git.ask(call(["rev-parse", "--verify", "--quiet", `${scene.head}^{tree}`]));
    if (same.stdout.trim() === tree) return undefined;
  }
  const parents = scene.head === undefined ? [] : [scene.head];
  if (stagedTree !== undefined) parents.push(await commitTree(input, call, { tree: stagedTree, parents, what: "staged" }));
  parents.push(...scene.pending);
  return commitTree(input, call, { tree, parents, what: "uncommitted work", files: changes.length });
}

/** New objects of a linked checkout go straight to the cache; those of an isolated one are checked on their way there. */
function target(input: RescueInput): Record<string, string> {
  return input.scene.mode === "linked" ? { GIT_OBJECT_DIRECTORY: join(input.repo.path, "objects") } : {};
}

/** The tree of the index, when a file is staged in a form that neither `HEAD` nor the directory has. */
async function stagedElsewhere(git: Git, call: (args: readonly string[]) => GitCall, changes: readonly Change[]): Promise<string | undefined> {
  if (!changes.some((item) => /^[MARCT][MDT]$/.test(item.code))) return undefined;
  const answer = await git.run(call(["write-tree", "--missing-ok"]));
  // Conflicts cannot be written; their sides are commits that are saved as such.
  return answer.code === 0 ? answer.stdout.trim() : undefined;
}

async function addAll(git: Git, call: (args: readonly string[], extra?: Partial<GitCall>) => GitCall, status: Status, changes: readonly Change[]): Promise<void> {
  if (status.exact) {
    // Entries that git was told to take for unchanged would stay as they are.
    const overlooked = changes.filter((item) => item.code === OVERLOOKED);
    if (overlooked.length > 0) await git.must("git update-index: ", call(["update-index", "--force-remove", "-z", "--stdin"], { input: paths(overlooked) }));
    await git.must("git update-index: ", call(["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], { input: paths(changes) }));
    return;
  }
  if (status.nested.length > 0) throw new MulticaError("rescue_refused", "there are repositories inside and names that are not UTF-8");
  await git.must("git add: ", call(["add", "-A"]));
}

async function commitTree(
  input: RescueInput,
  call: (args: readonly string[], extra?: Partial<GitCall>) => GitCall,
  made: { readonly tree: string; readonly parents: readonly string[]; readonly what: string; readonly files?: number },
): Promise<string> {
  const { scene, taskId, clock } = input;
  const [name = "", mail = ""] = IDENTITY.slice(0, -1).split(" <");
  const date = `${Math.floor(clock.now() / 1000)} +0000`;
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: mail, GIT_AUTHOR_DATE: date, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: mail, GIT_COMMITTER_DATE: date };
  const facts = [`Task: ${taskId}`, `Path: ${scene.path}`, `Branch: ${scene.branch ?? "(detached)"}`, ...(made.files === undefined ? [] : [`Files: ${made.files}`])];
  const text = `multica rescue: ${made.what}\n\n${facts.join("\n")}\n`;
  const parents = made.parents.flatMap((id) => ["-p", id]);
  return (await input.git.must("git commit-tree: ", call(["-c", "commit.gpgSign=false", "commit-tree", ...parents, made.tree], { env, input: text }))).trim();
}

/** Commits that only `HEAD` or a half-done operation leads to; the branch of an isolated checkout is dealt with by its caller. */
async function unreachable(input: RescueInput, needed: boolean): Promise<string[]> {
  const { git, scene, view } = input;
  const ids = [...(scene.branch === undefined && scene.head !== undefined ? [scene.head] : []), ...scene.pending];
  if (!needed || ids.length === 0) return [];
  const found: string[] = [];
  for (const id of ids) {
    const answer = await git.ask(view.call(["rev-list", "-n", "1", id, "--not", "--branches", "--remotes=origin", "--glob=refs/multica"], { cwd: scene.common, gitDir: scene.common, timeoutMs: LIMIT_MS }));
    // A commit that git cannot walk is taken for unsaved, unless it is not even there.
    if (answer.code === 0 ? answer.stdout.trim() !== "" : await exists(input, id)) found.push(id);
  }
  return found;
}

async function exists({ git, view }: RescueInput, id: string): Promise<boolean> {
  return (await git.ask(view.call(["cat-file", "-e", `${id}^{commit}`]))).code === 0;
}

async function publish(input: RescueInput, refs: readonly NewRef[]): Promise<void> {
  if (refs.length === 0) return;
  if (input.scene.mode === "isolated") return importRefs(input.git, input.view, input.repo.path, refs, input.signal);
  const commands = refs.map((item) => `update ${item.ref} ${item.commit}\n`).join("");
  await input.repo.must("git update-ref: ", ["update-ref", "--stdin"], { input: commands });
}
