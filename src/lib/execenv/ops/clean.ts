import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorText, randomHex } from "../../core/index.ts";
import { type Clock, type Env, type FileLock, moveFile, realPathIfExists } from "../../platform/index.ts";
import { findUnpushedWork } from "../../repos/index.ts";
import { lockRoot } from "../claim.ts";
import { ENTRY, envPaths } from "../layout.ts";
import { leaveLocalDirectory } from "../local/leave.ts";
import { type EnvSummary, summarise } from "./survey.ts";
import { findArtifacts, removeStubborn, treeBytes } from "./tree.ts";

/** root: all of it · workdir: the work, logs stay · artifacts: what a build makes again · managed_artifacts: only the agent program's · sidecars: what we put into a user's directory. */
export type CleanPart = "root" | "workdir" | "artifacts" | "managed_artifacts" | "sidecars";

export interface CleanRequest {
  readonly workspacesRoot: string;
  readonly part: CleanPart;
  readonly artifactPatterns: readonly string[];
  /** Delete although there is work that exists nowhere else. */
  readonly discardWork: boolean;
  readonly dryRun: boolean;
  /** Says whether something outside of tasks uses a root: a command that outlived its task. */
  readonly isActive?: (root: string) => boolean;
  readonly clock: Clock;
  /** For git. */
  readonly env: Readonly<Env>;
  readonly signal?: AbortSignal;
}

export interface CleanReport {
  readonly id: string;
  readonly path: string;
  readonly status: "cleaned" | "would_clean" | "busy" | "refused" | "failed";
  /** Why it was refused or failed; empty otherwise. */
  readonly reason: string;
  /** Freed, or what would be. */
  readonly bytes: number;
}

/**
 * Deletes an environment or a part of it, holding its lock (execenv.md 17, `clean`). Refuses what is not ours, what lies
 * outside the root, and work that exists nowhere else; a user's own directory is never part of it.
 * An env root disappears in one step: it is renamed first, so that a crash leaves no half environment.
 */
export async function cleanEnvironment(env: EnvSummary, request: CleanRequest): Promise<CleanReport> {
  const report = (status: CleanReport["status"], reason = "", bytes = 0): CleanReport => ({ id: env.id, path: env.path, status, reason, bytes });
  const fault = placeFault(env, request.workspacesRoot);
  if (fault !== null) return report("refused", fault);
  if (env.state === "active") return report("busy", "a running execution holds it");
  if (request.isActive?.(env.path) === true) return report("busy", "a command that outlived its task works in it (multica exec list)");
  let lock: FileLock | null = null;
  try {
    if (!request.dryRun) {
      lock = await lockRoot(env.path);
      if (lock === null) return report("busy", "a running execution holds it");
      // Somebody may have used it between the look and the lock.
      const again = placeFault(summarise(request.workspacesRoot, env.workspace_id, env.segment, { nowMs: request.clock.now() }), request.workspacesRoot);
      if (again !== null) return report("refused", again);
    }
    const kept = await workAtRisk(env, request);
    if (kept !== null) return report("refused", kept);
    if (request.part === "sidecars") return await cleanSidecars(env, request.dryRun, report);
    const targets = targetsOf(env, request);
    const bytes = targets.reduce((total, path) => total + treeBytes(path), 0);
    if (request.dryRun) return report("would_clean", "", bytes);
    // With the root goes the only list of what lies in the user's directory.
    if (request.part === "root") await leaveLocalDirectory(env.path);
    for (const target of targets) await removeTarget(target, env.path);
    return report("cleaned", "", bytes);
  } catch (error) {
    return report("failed", errorText(error));
  } finally {
    lock?.release();
  }
}

/** Why nothing may be deleted there, or null. */
function placeFault(env: EnvSummary, workspacesRoot: string): string | null {
  const root = realPathIfExists(workspacesRoot);
  if (root === undefined || realPathIfExists(env.path) !== join(root, env.workspace_id, env.segment)) return "it is a link or lies outside the workspaces root";
  if (env.state === "foreign") return "it holds nothing of ours: it may be somebody else's directory";
  return null;
}

/** Only what we put into the user's directory; the environment itself stays. */
async function cleanSidecars(env: EnvSummary, dryRun: boolean, report: (status: CleanReport["status"], reason?: string) => CleanReport): Promise<CleanReport> {
  if (env.local_directory === null) return report("refused", "it never worked in a user's directory");
  if (dryRun) return report("would_clean", env.local_directory);
  await leaveLocalDirectory(env.path);
  return report("cleaned", env.local_directory);
}

async function workAtRisk(env: EnvSummary, request: CleanRequest): Promise<string | null> {
  if (request.discardWork || (request.part !== "root" && request.part !== "workdir")) return null;
  if (lstatSync(join(env.path, "worktree"), { throwIfNoEntry: false }) !== undefined) return "it keeps a worktree with work (worktree/)";
  const { workdir } = envPaths(env.path);
  const passed = request.signal === undefined ? {} : { signal: request.signal };
  const work = await findUnpushedWork({ directory: workdir, clock: request.clock, env: request.env, ...passed });
  return work.length === 0 ? null : work.map((item) => `${item.path}: ${item.what}`).join("; ");
}

function targetsOf(env: EnvSummary, request: CleanRequest): string[] {
  const paths = envPaths(env.path);
  switch (request.part) {
    case "root":
      return [env.path];
    case "workdir":
      return [paths.workdir];
    case "artifacts":
      return artifactsOf(env.path, request.artifactPatterns);
    case "sidecars":
      return [];
    case "managed_artifacts":
      return helperPrograms(paths.codexHome);
  }
}

/** What a build or the agent's program makes again: directories of these names in the workdir, and helper programs. */
export function artifactsOf(root: string, patterns: readonly string[]): string[] {
  const paths = envPaths(root);
  return [...findArtifacts(paths.workdir, new Set(patterns)), ...helperPrograms(paths.codexHome)];
}

/** What Codex unpacks for itself. A home that is a link leads to somebody else's. */
function helperPrograms(codexHome: string): string[] {
  const path = join(codexHome, ".sandbox-bin");
  const own = lstatSync(codexHome, { throwIfNoEntry: false })?.isDirectory() === true;
  return own && lstatSync(path, { throwIfNoEntry: false }) !== undefined ? [path] : [];
}

async function removeTarget(target: string, envRoot: string): Promise<void> {
  if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
  if (target !== envRoot && target !== join(envRoot, ENTRY.workdir)) {
    await removeStubborn(target);
    return;
  }
  const aside = join(dirname(target), `.gc-${basename(target)}-${randomHex(6)}`);
  await moveFile(target, aside);
  await removeStubborn(aside);
}
