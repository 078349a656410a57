import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isMulticaError } from "../core/index.ts";
import { realPathIfExists } from "../platform/index.ts";
import { readConfig } from "./config-guard.ts";
import type { Git } from "./git.ts";
import { bareName } from "./names.ts";
import { readPlain } from "./refs-text.ts";
import { type Scene, readScene } from "./scene.ts";

export type CheckoutMode = "linked" | "isolated";

/**
 * What lies where a checkout should go.
 * `free`: nothing or an empty directory · `ours`: a checkout of this repository · `other`: one of another repository ·
 * `half`: a linked one whose making was cut off · `broken`: one of ours that git cannot use · `taken`: anything else.
 */
export type Place =
  | { readonly kind: "free" }
  | { readonly kind: "ours" | "half"; readonly scene: Scene }
  | { readonly kind: "broken"; readonly why: string }
  | { readonly kind: "other" }
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
  return inner.isDirectory() ? inspectIsolated(git, path, bare, signal) : { kind: "taken", mode: "isolated" };
}

/** A linked checkout names its registration, and the registration names the checkout: both must agree. */
function inspectLinked(path: string, bare: string): Place {
  const target = /^gitdir: (.+?)\s*$/.exec(readPlain(join(path, ".git")) ?? "")?.[1];
  if (target === undefined || basename(dirname(target)) !== "worktrees") return { kind: "taken", mode: "linked" };
  const common = realPathIfExists(dirname(dirname(target)));
  if (common === undefined || common !== realPathIfExists(bare)) return { kind: "other" };
  const registration = realPathIfExists(target);
  if (registration === undefined) return { kind: "broken", why: "its registration in the cache is gone" };
  if (dirname(dirname(registration)) !== common) return { kind: "taken", mode: "linked" };
  const back = readPlain(join(registration, "gitdir"))?.trim();
  if (back === undefined || realPathIfExists(dirname(back)) !== realPathIfExists(path)) return { kind: "taken", mode: "linked" };
  const scene = readScene({ path, mode: "linked", gitDir: registration, common });
  if (scene.fault !== undefined) return { kind: "broken", why: scene.fault };
  // git writes this while it makes the checkout and removes it at the end.
  const isHalf = readPlain(join(registration, "locked"))?.trim() === "initializing";
  return { kind: isHalf ? "half" : "ours", scene };
}

async function inspectIsolated(git: Git, path: string, bare: string, signal?: AbortSignal): Promise<Place> {
  const gitDir = join(path, ".git");
  try {
    const entries = await readConfig(git, join(gitDir, "config"), signal);
    const value = (key: string): string | undefined => entries.findLast((entry) => entry.key === key)?.value;
    if (value("multica.checkout-mode") !== "isolated") return { kind: "taken", mode: "isolated" };
    const name = value("multica.repo") ?? bareName(value("remote.origin.url") ?? "");
    if (name !== basename(bare)) return { kind: "other" };
    const scene = readScene({ path, mode: "isolated", gitDir, common: gitDir });
    return scene.fault === undefined ? { kind: "ours", scene } : { kind: "broken", why: scene.fault };
  } catch (error) {
    if (isMulticaError(error, "git_failed") || isMulticaError(error, "repo_damaged")) return { kind: "taken", mode: "isolated" };
    throw error;
  }
}
