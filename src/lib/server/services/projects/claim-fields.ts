import { isObject, parseJson } from "../../../core/index.ts";
import { one } from "../../db/query.ts";
import { type ProjectResourceRow, type ProjectRow, type RuntimeRow, type WorkspaceRow, reposOf } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { resourcesOf } from "./resources.ts";

const WORKTREE_CAPABILITY = "local-worktree-v1";

/**
 * Repositories and project of a claim. The project's repositories stand in for the workspace's when it has some
 * (server-api.md 5.4).
 */
export function projectFields(tx: Tx, workspace: WorkspaceRow, projectId: string | null) {
  const shared = { repos: reposOf(workspace).map((repo) => ({ ...repo })) };
  const project = projectId === null ? undefined : one<ProjectRow>(tx.db, "SELECT * FROM project WHERE id = :projectId", { projectId });
  if (project === undefined || project.workspace_id !== workspace.id) return shared;
  const resources = resourcesOf(tx.db, project.id);
  const repos = resources.filter((row) => row.resource_type === "github_repo").flatMap(repoOf);
  return {
    ...(repos.length === 0 ? shared : { repos }),
    project_id: project.id,
    project_title: project.title,
    ...(project.description ? { project_description: project.description } : {}),
    ...(resources.length === 0 ? {} : { project_resources: resources.map(resourceField) }),
  };
}

/** True when the task would have to run in a worktree on a daemon that has none (server-api.md 5.6). */
export function needsWorktree(tx: Tx, projectId: string | null, runtime: RuntimeRow, capabilities: ReadonlySet<string>): boolean {
  if (projectId === null || capabilities.has(WORKTREE_CAPABILITY)) return false;
  return resourcesOf(tx.db, projectId).some((row) => {
    const ref = parseJson(row.resource_ref);
    return row.daemon_id !== null && row.daemon_id === runtime.daemon_id && isObject(ref) && ref["execution_mode"] === "worktree";
  });
}

function repoOf(row: ProjectResourceRow): { url: string; ref?: string }[] {
  const value = parseJson(row.resource_ref);
  if (!isObject(value) || typeof value["url"] !== "string") return [];
  return [{ url: value["url"], ...(typeof value["ref"] === "string" ? { ref: value["ref"] } : {}) }];
}

function resourceField(row: ProjectResourceRow) {
  const label = row.label === null ? {} : { label: row.label };
  return { id: row.id, resource_type: row.resource_type, resource_ref: parseJson(row.resource_ref) ?? {}, ...label };
}
