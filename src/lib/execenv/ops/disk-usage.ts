import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../core/index.ts";
import { gcFacts } from "../gc/facts.ts";
import { artifactsOf } from "./clean.ts";
import { summarise } from "./survey.ts";
import { bytesOf, treeBytes } from "./tree.ts";

/** One env root. Sizes in bytes of regular files, links not followed. */
export interface TaskUsage {
  readonly workspace_id: string;
  readonly workspace_short: string;
  readonly task_short: string;
  readonly path: string;
  readonly kind: string;
  readonly parent_id?: string;
  /** The server's word on the parent; empty where it was not asked or gave none. */
  readonly parent_status: string;
  readonly age_seconds: number;
  readonly size_bytes: number;
  /** Part of the size that the collector's artifact rule would delete, whether git ignores it or not. */
  readonly artifact_size_bytes: number;
}

export interface WorkspaceUsage {
  readonly workspace_id: string;
  readonly workspace_short: string;
  readonly task_count: number;
  readonly size_bytes: number;
  readonly artifact_size_bytes: number;
  readonly artifact_ratio: number;
  readonly oldest_age_seconds: number;
}

export interface DiskUsage {
  readonly workspaces_root: string;
  readonly generated_at: string;
  readonly artifact_patterns: readonly string[];
  readonly managed_artifact_subpaths: readonly string[];
  /** Largest first. */
  readonly tasks: readonly TaskUsage[];
  readonly workspaces: readonly WorkspaceUsage[];
  readonly total_task_count: number;
  readonly total_workspace_count: number;
  readonly total_size_bytes: number;
  readonly total_artifact_size_bytes: number;
  readonly total_artifact_ratio: number;
  readonly repo_cache_size_bytes: number;
  readonly repo_cache_count: number;
}

/** What the directories of a workspaces root take (daemon.md 15). A root that does not exist takes nothing; other read errors of it are thrown. */
export async function measureDiskUsage(workspacesRoot: string, options: { readonly artifactPatterns: readonly string[]; readonly nowMs: number }): Promise<DiskUsage> {
  const tasks: TaskUsage[] = [];
  for (const workspace of directoriesIn(workspacesRoot, true)) {
    for (const segment of directoriesIn(join(workspacesRoot, workspace), false)) {
      tasks.push(await measureTask(workspacesRoot, workspace, segment, options));
    }
  }
  tasks.sort(largestFirst);
  const workspaces = [...Map.groupBy(tasks, (task) => task.workspace_id).entries()].map(([id, own]) => workspaceOf(id, own)).sort(largestFirst);
  const repos = join(workspacesRoot, ".repos");
  const size = sum(tasks.map((task) => task.size_bytes));
  const artifacts = sum(tasks.map((task) => task.artifact_size_bytes));
  return {
    workspaces_root: workspacesRoot,
    generated_at: new Date(options.nowMs).toISOString(),
    artifact_patterns: options.artifactPatterns,
    managed_artifact_subpaths: ["codex-home/.sandbox-bin"],
    tasks,
    workspaces,
    total_task_count: tasks.length,
    total_workspace_count: workspaces.length,
    total_size_bytes: size,
    total_artifact_size_bytes: artifacts,
    total_artifact_ratio: ratio(artifacts, size),
    repo_cache_size_bytes: await treeBytes(repos),
    repo_cache_count: directoriesIn(repos, false).reduce((count, workspace) => count + directoriesIn(join(repos, workspace), false).filter((name) => name.endsWith(".git")).length, 0),
  };
}

async function measureTask(root: string, workspace: string, segment: string, options: { artifactPatterns: readonly string[]; nowMs: number }): Promise<TaskUsage> {
  const path = join(root, workspace, segment);
  const env = summarise(root, workspace, segment, options);
  const facts = gcFacts(path);
  // A file that names nothing says nothing of an age either: then the directory's own counts (D-4).
  const since = facts.completedAtMs ?? (facts.parent === null ? facts.mtimeMs : (facts.recordedAtMs ?? facts.mtimeMs));
  return {
    workspace_id: workspace,
    workspace_short: workspace.replaceAll("-", "").slice(0, 8),
    task_short: segment,
    path,
    kind: facts.parent?.kind ?? "unknown",
    ...(facts.parent === null && env.parent_id === "" ? {} : { parent_id: facts.parent?.id ?? env.parent_id }),
    parent_status: "",
    age_seconds: Math.max(0, Math.floor((options.nowMs - since) / 1000)),
    size_bytes: await treeBytes(path),
    artifact_size_bytes: await bytesOf(await artifactsOf(path, options.artifactPatterns)),
  };
}

function workspaceOf(id: string, tasks: readonly TaskUsage[]): WorkspaceUsage {
  const size = sum(tasks.map((task) => task.size_bytes));
  const artifacts = sum(tasks.map((task) => task.artifact_size_bytes));
  return {
    workspace_id: id,
    workspace_short: tasks[0]?.workspace_short ?? id,
    task_count: tasks.length,
    size_bytes: size,
    artifact_size_bytes: artifacts,
    artifact_ratio: ratio(artifacts, size),
    oldest_age_seconds: Math.max(0, ...tasks.map((task) => task.age_seconds)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const largestFirst = (a: { size_bytes: number }, b: { size_bytes: number }): number => b.size_bytes - a.size_bytes;

/** Directories that are neither hidden nor links; a missing one has none, one that cannot be read only counts at the top. */
function directoriesIn(directory: string, strict: boolean): string[] {
  try {
    if (!strict && lstatSync(directory).isSymbolicLink()) return [];
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
  } catch (error) {
    if (!strict || systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
