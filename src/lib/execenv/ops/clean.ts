import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorText, isMulticaError, randomHex } from "../../core/index.ts";
import { type Clock, type Env, type FileLock, isInside, moveFile, realPathIfExists, removeStubborn } from "../../platform/index.ts";
import { type MovedWork, type SavedWork, type UnpushedWork, findUnpushedWork, moveAside, onlyIgnored, salvageCheckouts } from "../../repos/index.ts";
import { lockRoot } from "../claim.ts";
import { ENTRY, envPaths } from "../layout.ts";
import { leaveLocalDirectory } from "../local/leave.ts";
import { endLocalWork } from "../local/worktree.ts";
import { type EnvSummary, summarise } from "./survey.ts";
import { bytesOf, findArtifacts } from "./tree.ts";

/** root: all of it · workdir: the work, logs stay · artifacts: what a build makes again · managed_artifacts: only the agent program's · sidecars: what we put into a user's directory. */
export type CleanPart = "root" | "workdir" | "artifacts" | "managed_artifacts" | "sidecars";

export interface CleanRequest {
  readonly workspacesRoot: string;
  readonly part: CleanPart;
  readonly artifactPatterns: readonly string[];
  /** Delete although there is work that exists nowhere else; it is kept as a rescue all the same. */
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
  /** Work that was in it and is kept as a rescue. */
  readonly saved: readonly SavedWork[];
  /** Work that was moved aside as it was: repositories without a cache, and checkouts that git cannot read. */
  readonly moved: readonly MovedWork[];
}

/**
 * Deletes an environment or a part of it, holding its lock (execenv.md 17, `clean`). Refuses what is not ours, what lies
 * outside the root, and work that exists nowhere else; a user's own directory is never part of it.
 * An env root disappears in one step: it is renamed first, so that a crash leaves no half environment.
 */
export async function cleanEnvironment(env: EnvSummary, request: CleanRequest): Promise<CleanReport> {
  let kept: KeptWork = { saved: [], moved: [] };
  const report = (status: CleanReport["status"], reason = "", bytes = 0): CleanReport => ({ id: env.id, path: env.path, status, reason, bytes, ...kept });
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
    const work = await workAtRisk(env, request);
    if (work.length > 0 && !request.discardWork) return report("refused", work.map((item) => `${item.path}: ${item.what}`).join("; "));
    if (request.part === "sidecars") return await cleanSidecars(env, request.dryRun, report);
    const targets = await targetsOf(env, request);
    const bytes = await bytesOf(targets);
    if (request.dryRun) return report("would_clean", work.length === 0 ? "" : `its work would be saved first: ${work.map((item) => item.path).join(", ")}`, bytes);
    if (work.length > 0) kept = await saveWork(env, request, work);
    // With the root goes the only list of what lies in the user's directory.
    if (request.part === "root") await leaveLocalDirectory(env.path);
    for (const target of targets) await removeTarget(target, env.path);
    return report("cleaned", "", bytes);
  } catch (error) {
    if (isMulticaError(error, "repo_busy")) return report("busy", errorText(error));
    return report(isMulticaError(error, "rescue_failed") ? "refused" : "failed", errorText(error));
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

/** What exists nowhere else and would go. */
async function workAtRisk(env: EnvSummary, request: CleanRequest): Promise<UnpushedWork[]> {
  if (request.part !== "root" && request.part !== "workdir") return [];
  const { workdir } = envPaths(env.path);
  const work = await findUnpushedWork({ directory: workdir, ...machineOf(request) });
  const worktree = join(env.path, "worktree");
  const isKept = request.part === "root" && lstatSync(worktree, { throwIfNoEntry: false }) !== undefined;
  return isKept ? [{ path: worktree, what: "a worktree of a user's repository, kept with work in it" }, ...work] : work;
}

type KeptWork = Pick<CleanReport, "saved" | "moved">;

/** Asked for or not: before work goes it is written or moved to where `repo rescue` finds it. */
async function saveWork(env: EnvSummary, request: CleanRequest, work: readonly UnpushedWork[]): Promise<KeptWork> {
  const machine = machineOf(request);
  const { workdir } = envPaths(env.path);
  const taskId = env.last_task_id || env.task_id || env.segment;
  const { saved, homeless } = await salvageCheckouts({ root: request.workspacesRoot, workspaceId: env.workspace_id, directory: workdir, taskId, ...machine });
  // A repository without a cache matters only when there is work in it.
  const left = homeless.filter((one) => work.some((item) => item.path === one.path));
  const worktree = work.find((item) => !isInside(workdir, item.path));
  if (worktree !== undefined) {
    // That work goes to a branch of the user's repository, if it can.
    const { kept } = await endLocalWork(env.path, machine);
    if (kept !== null) left.push({ path: kept.path, what: kept.why });
  }
  const moved = await moveAside(left, { root: request.workspacesRoot, workspaceId: env.workspace_id, within: env.path, taskId, clock: request.clock });
  return { saved, moved };
}

function machineOf({ clock, env, signal }: CleanRequest): Pick<CleanRequest, "clock" | "env" | "signal"> {
  return { clock, env, ...(signal === undefined ? {} : { signal }) };
}

async function targetsOf(env: EnvSummary, request: CleanRequest): Promise<string[]> {
  const paths = envPaths(env.path);
  switch (request.part) {
    case "root":
      return [env.path];
    case "workdir":
      return [paths.workdir];
    case "artifacts":
      // A directory that a checkout does not ignore holds somebody's work, whatever it is called.
      return onlyIgnored(await artifactsOf(env.path, request.artifactPatterns), { within: env.path, ...machineOf(request) });
    case "sidecars":
      return [];
    case "managed_artifacts":
      return helperPrograms(paths.codexHome);
  }
}

/** What a build or the agent's program makes again: directories of these names in the workdir, and helper programs. */
export async function artifactsOf(root: string, patterns: readonly string[]): Promise<string[]> {
  const paths = envPaths(root);
  return [...(await findArtifacts(paths.workdir, new Set(patterns))), ...helperPrograms(paths.codexHome)];
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
