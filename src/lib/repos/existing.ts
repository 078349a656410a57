import { lstatSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isMulticaError } from "../core/index.ts";
import { readConfig } from "./config-guard.ts";
import type { Git } from "./git.ts";
import { branchOfHead } from "./layout.ts";
import { bareName } from "./names.ts";

export type CheckoutMode = "linked" | "isolated";

/**
 * What lies where a checkout should go.
 * `free`: nothing or an empty directory · `ours`: a checkout of this repository · `other`: one of another repository ·
 * `half`: a linked one whose making was cut off · `taken`: anything else.
 */
export type Place =
  | { readonly kind: "free" }
  | { readonly kind: "ours"; readonly mode: CheckoutMode; readonly branch: string }
  | { readonly kind: "other" }
  | { readonly kind: "half" }
  | { readonly kind: "taken"; readonly mode: CheckoutMode };

/**
 * Looks without running git inside the place: an agent may have written every file there. A link is never followed.
 * `bare` is the cache the checkout should belong to (repocache.md 9.1).
 */
export async function inspectPlace(git: Git, path: string, bare: string, signal?: AbortSignal): Promise<Place> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return { kind: "free" };
  if (!stat.isDirectory()) return { kind: "taken", mode: "linked" };
  const dotGit = join(path, ".git");
  const inner = lstatSync(dotGit, { throwIfNoEntry: false });
  if (inner === undefined) return readdirSync(path).length === 0 ? { kind: "free" } : { kind: "taken", mode: "linked" };
  if (inner.isFile()) return inspectLinked(path, bare);
  return inner.isDirectory() ? inspectIsolated(git, dotGit, bare, signal) : { kind: "taken", mode: "isolated" };
}

/** A linked checkout names its registration, and the registration names the checkout: both must agree. */
function inspectLinked(path: string, bare: string): Place {
  const target = /^gitdir: (.+?)\s*$/.exec(readFileSync(join(path, ".git"), "utf8"))?.[1];
  const registration = target === undefined ? undefined : realPath(target);
  if (registration === undefined || basename(dirname(registration)) !== "worktrees") return { kind: "taken", mode: "linked" };
  if (dirname(dirname(registration)) !== realPath(bare)) return { kind: "other" };
  const back = readIfFile(join(registration, "gitdir"))?.trim();
  if (back === undefined || realPath(dirname(back)) !== realPath(path)) return { kind: "taken", mode: "linked" };
  // git writes this while it makes the checkout and removes it at the end.
  if (readIfFile(join(registration, "locked"))?.trim() === "initializing") return { kind: "half" };
  return { kind: "ours", mode: "linked", branch: branchOfHead(join(registration, "HEAD")) ?? "" };
}

async function inspectIsolated(git: Git, gitDir: string, bare: string, signal?: AbortSignal): Promise<Place> {
  try {
    const entries = await readConfig(git, join(gitDir, "config"), signal);
    const value = (key: string): string | undefined => entries.findLast((entry) => entry.key === key)?.value;
    if (value("multica.checkout-mode") !== "isolated") return { kind: "taken", mode: "isolated" };
    const name = value("multica.repo") ?? bareName(value("remote.origin.url") ?? "");
    if (name !== basename(bare)) return { kind: "other" };
    return { kind: "ours", mode: "isolated", branch: branchOfHead(join(gitDir, "HEAD")) ?? "" };
  } catch (error) {
    if (isMulticaError(error, "git_failed") || isMulticaError(error, "repo_damaged")) return { kind: "taken", mode: "isolated" };
    throw error;
  }
}

function readIfFile(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, "utf8") : undefined;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
