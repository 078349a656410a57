import { isAbsolute, join } from "node:path";
import { MulticaError, asString, errorText, isObject, parseJson } from "../../core/index.ts";
import { type Clock, type Env, removeFile, writeFileAtomic } from "../../platform/index.ts";
import { type TreeMachine, type UserTree, createUserTree, discardUserTree, finishUserTree } from "../../repos/index.ts";
import { lookConfined, readConfined, refuseLinkedRoot } from "../confined.ts";
import type { HostFacts, PrepareInput } from "../types.ts";
import { leaveLocalDirectory } from "./leave.ts";

/** In the env root: what ends the worktree, also after a crash. */
const FILE = ".multica_worktree.json";
/** Wire name (execenv.md 11.3). */
export const WORKTREE = "worktree";

/** How a task's work in a user's directory ended. */
export interface LocalEnd {
  /** The branch of the user's repository that holds the work; null: in place, or nothing was changed. */
  readonly branch: string | null;
  /** A worktree that had to stay, and why: the task failed then. */
  readonly kept: { readonly path: string; readonly why: string } | null;
}

/** Makes the worktree of a task in `{env root}/worktree`; returns the directory in it that stands for the user's. */
export async function enterWorktree(envRoot: string, directory: string, input: PrepareInput): Promise<string> {
  if (input.worktree === undefined) throw new MulticaError("env_input", "no clock for the worktree's git commands");
  const made = await createUserTree({
    ...gitMachine(input.host, input.worktree.clock),
    ...(input.worktree.signal === undefined ? {} : { signal: input.worktree.signal }),
    directory,
    path: join(envRoot, WORKTREE),
    agentName: input.task.agentName ?? "",
    taskId: input.taskId,
    remember: (tree) => writeFileAtomic(join(envRoot, FILE), `${JSON.stringify(tree, null, 2)}\n`, { mode: 0o600 }),
  });
  return made.workdir;
}

/**
 * The end of a task in a user's directory (execenv.md 11.2, 11.3): takes our files out, then ends its worktree, if it
 * has one. When our files could not be taken out of a worktree nothing is committed and it stays; in place that error
 * is thrown. The caller holds the environment's lock. Safe to call again.
 */
export async function endLocalWork(envRoot: string, machine: TreeMachine): Promise<LocalEnd> {
  refuseLinkedRoot(envRoot);
  const tree = await readWorktree(envRoot);
  if (tree === null) {
    await leaveLocalDirectory(envRoot);
    return { branch: null, kept: null };
  }
  try {
    await leaveLocalDirectory(envRoot);
  } catch (error) {
    return { branch: null, kept: { path: tree.path, why: `our own files could not be taken out of it: ${errorText(error)}` } };
  }
  const end = await finishUserTree(tree, machine);
  if (end.kind === "kept") return { branch: null, kept: { path: end.path, why: end.why } };
  await removeFile(join(envRoot, FILE));
  return { branch: end.branch, kept: null };
}

/** Takes back the worktree of a preparation that failed: no agent has run in it. */
export async function discardWorktree(envRoot: string, machine: TreeMachine): Promise<void> {
  const tree = await readWorktree(envRoot);
  if (tree === null) return;
  await discardUserTree(tree, machine);
  await removeFile(join(envRoot, FILE));
}

/** True while something of a worktree is in the env root: it may be the only place of somebody's work. */
export async function hasWorktree(envRoot: string): Promise<boolean> {
  return (await lookConfined(envRoot, WORKTREE)) !== undefined;
}

/** The worktree that the env root knows of; null: none, or its record is not one. */
export async function readWorktree(envRoot: string): Promise<UserTree | null> {
  const value: unknown = parseJson((await readConfined(envRoot, FILE)) ?? "");
  if (!isObject(value)) return null;
  const text = (key: string): string => asString(value[key]);
  const tree = {
    top: text("top"),
    common: text("common"),
    // An agent can write this file; only our own place is ever removed.
    path: join(envRoot, WORKTREE),
    gitDir: text("gitDir"),
    branch: text("branch"),
    baseline: text("baseline"),
    complete: value["complete"] === true,
    guard: text("guard"),
  };
  const sound = isAbsolute(tree.top) && isAbsolute(tree.common) && /^agent\/[\w./-]+$/.test(tree.branch) && /^[0-9a-f]{40,64}$/.test(tree.baseline);
  const own = tree.gitDir === "" ? !tree.complete : tree.gitDir.startsWith(join(tree.common, "worktrees") + "/");
  return sound && own ? tree : null;
}

export function gitMachine(host: HostFacts, clock: Clock): TreeMachine {
  const env: Env = {};
  for (const [name, value] of Object.entries(host.env)) if (value !== undefined) env[name] = value;
  return { env, clock };
}
