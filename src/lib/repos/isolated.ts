import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { MulticaError, randomHex, systemCode } from "../core/index.ts";
import { moveFile, platformName, removeTree } from "../platform/index.ts";
import { createWithBranch } from "./branches.ts";
import type { ConfigEntry } from "./config-guard.ts";
import { writeExcludes } from "./excludes.ts";
import type { Git, GitAnswer } from "./git.ts";
import type { NewCheckout } from "./linked.ts";
import { copyPartial, isPartial } from "./partial.ts";
import type { BareRepo } from "./repo.ts";
import { STALE_AFTER_MS } from "./stale-lock.ts";

export interface NewIsolated extends NewCheckout {
  readonly git: Git;
  /** The real URL: the checkout's `origin`. */
  readonly url: string;
  readonly taskId: string;
  /** Name beside `path` to build under, the same for every checkout of this repository in this directory. */
  readonly stem: string;
  readonly signal?: AbortSignal | undefined;
}

const REMOTES = "refs/remotes/origin/";

/**
 * Makes a checkout whose whole git directory lies at `path`, for sandboxes that cannot reach the cache; it shares nothing
 * with the cache but hard links, and lives on when that is deleted (8). Built beside its place and renamed into it, so a
 * crash leaves no half checkout there and a directory that somebody else made meanwhile stays as it is.
 */
export async function addIsolated(input: NewIsolated): Promise<string> {
  const { repo, path } = input;
  const temporary = join(dirname(path), `${stemPrefix(input.stem)}${randomHex(6)}`);
  await removeStale(dirname(path), input.stem);
  try {
    const copies = platformName() === "windows" ? ["--no-hardlinks"] : [];
    const facts = ["-c", `multica.repo=${basename(repo.path)}`, "-c", `multica.task=${input.taskId}`];
    const clone = ["clone", "--local", ...copies, "--no-checkout", "--no-tags", "--origin", "multica-cache", ...facts];
    await input.git.must("create isolated checkout: ", {
      args: [...clone, "--", repo.path, temporary],
      cwd: dirname(path),
      holds: repo.path,
      ...signalOf(input),
    });
    const branch = await furnish(input, temporary);
    await moveIntoPlace(temporary, path);
    return branch;
  } catch (error) {
    await removeTree(temporary);
    throw error;
  }
}

function signalOf(input: Pick<NewIsolated, "signal">): { signal?: AbortSignal } {
  return input.signal === undefined ? {} : { signal: input.signal };
}

async function furnish(input: NewIsolated, checkout: string): Promise<string> {
  const { base, repo } = input;
  const call = (args: readonly string[], text = ""): Parameters<Git["run"]>[0] => ({
    args,
    cwd: checkout,
    gitDir: join(checkout, ".git"),
    workTree: checkout,
    holds: repo.path,
    input: text,
    ...signalOf(input),
  });
  const must = (args: readonly string[], text = ""): Promise<string> =>
    input.git.must(`create isolated checkout: git ${args[0] ?? ""}: `, call(args, text));
  const config = (key: string, value: string): Promise<string> => must(["config", "--replace-all", key, value]);

  await must(["remote", "remove", "multica-cache"]);
  await must(["remote", "add", "--", "origin", input.url]);
  const partial = await copyPartialCloneKeys(repo, config);
  // Snapshots of the cache; HEAD names no branch after that, and the first checkout fills the empty index.
  const heads = await input.git.ask(call(["for-each-ref", "--format=delete %(refname)", "refs/heads/"]));
  if (heads.stdout !== "") await must(["update-ref", "--stdin"], heads.stdout);
  await (partial ? syncPartial(input, join(checkout, ".git"), must) : syncRefs(input, must));
  const branch = await createWithBranch(input.branch, {
    clock: input.clock,
    what: "create isolated checkout: git checkout -b: ",
    create: (name): Promise<GitAnswer> => input.git.run(call(["checkout", "--no-track", "-b", name, base.commit])),
  });
  await writeExcludes(join(checkout, ".git"));
  // The mark comes last: what bears it is complete.
  await config("multica.checkout-mode", "isolated");
  return branch;
}

/**
 * Brings an existing isolated checkout in line with the cache: its origin, the partial-clone keys, the remote's branches and
 * tags. Its own branches and files are not touched. `entries`: its configuration, cleaned.
 */
export async function refreshIsolated(
  input: Pick<NewIsolated, "git" | "repo" | "url" | "path" | "signal">,
  entries: readonly ConfigEntry[],
): Promise<void> {
  const { path, git } = input;
  const must = (args: readonly string[], text?: string): Promise<string> =>
    git.must(`update isolated checkout: git ${args[0] ?? ""}: `, {
      args,
      ...(text === undefined ? {} : { input: text }),
      cwd: path,
      gitDir: join(path, ".git"),
      workTree: path,
      holds: input.repo.path,
      lockZones: [{ directory: join(path, ".git"), staleAfterMs: STALE_AFTER_MS }],
      ...signalOf(input),
    });
  const config = (key: string, value: string): Promise<string> => must(["config", "--replace-all", key, value]);
  const origins = entries.filter((entry) => entry.key === "remote.origin.url").map((entry) => entry.value);
  if (origins.length !== 1 || origins[0] !== input.url) await config("remote.origin.url", input.url);
  const partial = await copyPartialCloneKeys(input.repo, config);
  await (partial ? syncPartial(input, join(path, ".git"), must) : syncRefs(input, must));
}

/** A local clone does not inherit that its source is partial; git would then check out nothing and call it a success. */
async function copyPartialCloneKeys(repo: BareRepo, config: (key: string, value: string) => Promise<string>): Promise<boolean> {
  if (!(await isPartial(repo))) return false;
  await config("remote.origin.promisor", "true");
  await config("remote.origin.partialclonefilter", "blob:none");
  return true;
}

/** Copies the remote's branches and tags from the cache. Branches are pruned, tags the agent made are not. */
async function syncRefs(input: Pick<NewIsolated, "repo">, must: (args: readonly string[]) => Promise<string>): Promise<void> {
  const cache = input.repo.path;
  // Of a shallow cache the checkout takes over where its history ends; git would leave such branches out.
  const shallow = lstatSync(join(cache, "shallow"), { throwIfNoEntry: false }) === undefined ? [] : ["--update-shallow"];
  const fetch = ["fetch", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", ...shallow];
  await must([...fetch, "--prune", "--", cache, `+${REMOTES}*:${REMOTES}*`, `^${REMOTES}HEAD`]);
  await must([...fetch, "--", cache, "+refs/tags/*:refs/tags/*"]);
  await syncHead(input, must);
}

async function syncPartial(input: Pick<NewIsolated, "repo">, gitDir: string, must: (args: readonly string[], text?: string) => Promise<string>): Promise<void> {
  await copyPartial(input.repo, gitDir, must);
  await syncHead(input, must);
}

async function syncHead(input: Pick<NewIsolated, "repo">, must: (args: readonly string[]) => Promise<string>): Promise<void> {
  const head = await input.repo.ask(["symbolic-ref", "--quiet", `${REMOTES}HEAD`]);
  const target = head.stdout.trim();
  if (head.code === 0 && target.startsWith(REMOTES)) await must(["symbolic-ref", `${REMOTES}HEAD`, target]);
}

async function moveIntoPlace(from: string, path: string): Promise<void> {
  try {
    await moveFile(from, path);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(systemCode(error) ?? "")) throw error;
    throw takenError(path, "isolated", error);
  }
}

/** The error for a place that holds something else; nothing there was touched. */
export function takenError(path: string, mode: "linked" | "isolated", cause?: unknown): MulticaError {
  const text =
    mode === "linked"
      ? `worktree path already exists and is not a valid git worktree: ${path}`
      : `checkout path already exists and is not a Multica isolated checkout: ${path}`;
  return new MulticaError("path_taken", text, {
    cause,
    details: { path },
    suggestions: ["Move that directory away, then check out again."],
  });
}

function stemPrefix(stem: string): string {
  return `.${stem}.tmp-`;
}

/** What a process left that died while it made a checkout of this repository here; the caller holds its lock. */
async function removeStale(workdir: string, stem: string): Promise<void> {
  for (const name of readdirSync(workdir)) if (name.startsWith(stemPrefix(stem))) await removeTree(join(workdir, name));
}
