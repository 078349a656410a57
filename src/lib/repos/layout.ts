import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ConfigEntry } from "./config-guard.ts";
import type { BareRepo } from "./repo.ts";

const MODERN = "+refs/heads/*:refs/remotes/origin/*";
const HEADS = "refs/heads/";
const REMOTES = "refs/remotes/origin/";

/**
 * Gives a repository fresh from `clone --bare` the layout of repocache.md 4 without asking the remote again: its branches
 * move from `refs/heads/*`, where they would go stale, to `refs/remotes/origin/*`; the one `HEAD` names stays as well.
 */
export async function layOutFreshClone(repo: BareRepo): Promise<void> {
  await repo.must("configure fetch refspec: ", ["config", "--replace-all", "remote.origin.fetch", MODERN]);
  const head = headBranch(repo.path);
  const branches = await repo.lines(["for-each-ref", "--format=%(objectname) %(refname)", HEADS]);
  const commands = branches.flatMap((line) => {
    const [id = "", ref = ""] = line.split(" ");
    const name = ref.slice(HEADS.length);
    // A remote branch literally called HEAD would take the place of the symbolic ref.
    if (name === "HEAD") return [`delete ${ref} ${id}`];
    return [`create ${REMOTES}${name} ${id}`, ...(name === head ? [] : [`delete ${ref} ${id}`])];
  });
  if (commands.length > 0) await repo.must("move branches: ", ["update-ref", "--stdin"], { input: `${commands.join("\n")}\n` });
  if (head !== undefined && branches.some((line) => line.endsWith(` ${HEADS}${head}`))) {
    await repo.must("set origin/HEAD: ", ["symbolic-ref", `${REMOTES}HEAD`, `${REMOTES}${head}`]);
  } else if (branches.length > 0) {
    await repo.run(["remote", "set-head", "origin", "--auto"]);
  }
}

/**
 * Makes the fetch refspec of an existing cache the modern one; a mirror-style cache (older releases) is refused by git as
 * soon as one of its branches is checked out. Nothing is done when the configuration says it is modern already.
 */
export async function ensureRefspec(repo: BareRepo, entries: readonly ConfigEntry[]): Promise<void> {
  const specs = entries.filter((entry) => entry.key === "remote.origin.fetch").map((entry) => entry.value);
  if (specs.length === 1 && (specs[0] === MODERN || specs[0] === MODERN.slice(1))) return;
  await repo.must("configure fetch refspec: ", ["config", "--replace-all", "remote.origin.fetch", MODERN]);
}

/** Brings the branch that `HEAD` names up to `origin/<same>`, so that a checkout of it by hand is not of an old day. */
export async function refreshHeadBranch(repo: BareRepo): Promise<void> {
  const head = headBranch(repo.path);
  if (head === undefined || checkedOutBranches(repo.path).has(head)) return;
  const found = await repo.lines(["for-each-ref", "--format=%(objectname) %(refname)", `${HEADS}${head}`, `${REMOTES}${head}`]);
  const local = found.find((line) => line.endsWith(` ${HEADS}${head}`))?.split(" ")[0];
  const remote = found.find((line) => line.endsWith(` ${REMOTES}${head}`))?.split(" ")[0];
  if (local === undefined || remote === undefined || local === remote) return;
  // Commits of its own: somebody's work, made in a linked checkout.
  if ((await repo.ask(["merge-base", "--is-ancestor", local, remote])).code !== 0) return;
  await repo.run(["update-ref", `${HEADS}${head}`, remote, local]);
}

/** The branch that the repository's `HEAD` names, existing or not. */
export function headBranch(gitDir: string): string | undefined {
  return branchOfHead(join(gitDir, "HEAD"));
}

/** The branch in a `HEAD` file; undefined for a detached one or none. */
export function branchOfHead(file: string): string | undefined {
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  return /^ref: refs\/heads\/(\S+)\s*$/.exec(readFileSync(file, "utf8"))?.[1];
}

function checkedOutBranches(gitDir: string): Set<string> {
  const names = new Set<string>();
  const root = join(gitDir, "worktrees");
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return names;
  for (const id of readdirSync(root)) {
    const branch = branchOfHead(join(root, id, "HEAD"));
    if (branch !== undefined) names.add(branch);
  }
  return names;
}
