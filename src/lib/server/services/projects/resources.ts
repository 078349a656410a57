import { isAbsolute } from "node:path";
import { isUniqueViolation } from "../../../platform/index.ts";
import { RESOURCE_TYPES, type ResourceInput, directoryRefSchema, repoRefSchema } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import { type ProjectResourceRow, type ProjectRow, type RuntimeRow, objectColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { isRepoUrl } from "../workspaces.ts";
import { VERSION_UNSUPPORTED } from "../versions.ts";

/** From this version on daemons can work in a worktree beside a directory (server-api.md 4.1). */
const WORKTREE_VERSION = "0.4.24";
const WORKTREE_CAPABILITY = "local-worktree-v1";

/** A project's resources in their order. */
export function resourcesOf(db: Tx["db"], projectId: string): ProjectResourceRow[] {
  return all<ProjectResourceRow>(db, "SELECT * FROM project_resource WHERE project_id = :projectId ORDER BY position, rowid", { projectId });
}

/** Adds a resource at the end, or at the position given; 400 for a reference that means nothing, 409 for a second directory. */
export function addResource(tx: Tx, project: ProjectRow, userId: string, input: ResourceInput): ProjectResourceRow {
  const type = input.resource_type ?? "";
  const id = tx.newId();
  const position = input.position ?? nextPosition(tx, project.id);
  const row = {
    id,
    project_id: project.id,
    workspace_id: project.workspace_id,
    resource_type: type,
    ...reference(tx, project.workspace_id, type, input.resource_ref),
    label: input.label?.trim() || null,
    position,
    created_by: userId,
    created_at: tx.now,
    updated_at: tx.now,
  };
  oneDirectory(() => insert(tx.db, "project_resource", row));
  return loadResource(tx.db, project.id, id);
}

/** Partial update; the type of a resource stays what it is. */
export function changeResource(tx: Tx, row: ProjectResourceRow, input: ResourceInput): ProjectResourceRow {
  if (input.resource_type !== undefined && input.resource_type !== row.resource_type) throw badRequest("resource_type cannot be changed");
  const columns = {
    ...(input.resource_ref === undefined ? {} : reference(tx, row.workspace_id, row.resource_type, input.resource_ref)),
    ...(input.label === undefined ? {} : { label: input.label?.trim() || null }),
    ...(input.position === undefined ? {} : { position: input.position }),
    updated_at: tx.now,
  };
  oneDirectory(() => update(tx.db, "project_resource", row.id, columns));
  return loadResource(tx.db, row.project_id, row.id);
}

export function removeResource(tx: Tx, row: ProjectResourceRow): void {
  run(tx.db, "DELETE FROM project_resource WHERE id = :id", { id: row.id });
}

export function loadResource(db: Tx["db"], projectId: string, id: string): ProjectResourceRow {
  const row = one<ProjectResourceRow>(db, "SELECT * FROM project_resource WHERE id = :id AND project_id = :projectId", { id, projectId });
  if (row === undefined) throw notFound("project resource");
  return row;
}

function reference(tx: Tx, workspaceId: string, type: string, value: unknown): { resource_ref: string; daemon_id: string | null } {
  if (type === "github_repo") return { resource_ref: JSON.stringify(repository(value)), daemon_id: null };
  if (type === "local_directory") {
    const ref = directory(value);
    if (ref.execution_mode === "worktree") requireWorktrees(tx, workspaceId, ref.daemon_id);
    return { resource_ref: JSON.stringify(ref), daemon_id: ref.daemon_id };
  }
  throw badRequest(`invalid resource_type ${JSON.stringify(type)}; valid values: ${RESOURCE_TYPES.join(", ")}`);
}

function repository(value: unknown) {
  const parsed = repoRefSchema.safeParse(value);
  if (!parsed.success || parsed.data.url.trim() === "") throw badRequest("resource_ref.url is required");
  const url = parsed.data.url.trim();
  if (!isRepoUrl(url)) throw badRequest(`invalid repo url: ${url}`);
  const { ref, default_branch_hint: hint } = parsed.data;
  if (/^-|[\s\0]/.test(ref ?? "") || /^-|[\s\0]/.test(hint ?? "")) throw badRequest("invalid resource_ref.ref");
  return { url, ...(ref ? { ref } : {}), ...(hint ? { default_branch_hint: hint } : {}) };
}

function directory(value: unknown) {
  const parsed = directoryRefSchema.safeParse(value);
  if (!parsed.success) throw badRequest("resource_ref of a local_directory needs local_path and daemon_id");
  const { local_path: path, daemon_id: daemon, label, execution_mode: mode } = parsed.data;
  if (!isAbsolute(path) || path.includes("\0")) throw badRequest("resource_ref.local_path must be absolute");
  if (daemon.trim() === "") throw badRequest("resource_ref.daemon_id is required");
  return { local_path: path, daemon_id: daemon.trim(), ...(label ? { label } : {}), ...(mode ? { execution_mode: mode } : {}) };
}

function requireWorktrees(tx: Tx, workspaceId: string, daemonId: string): void {
  const sql = "SELECT * FROM agent_runtime WHERE workspace_id = :workspaceId AND daemon_id = :daemonId ORDER BY updated_at DESC";
  const runtimes = all<RuntimeRow>(tx.db, sql, { workspaceId, daemonId }).map((row) => objectColumn(row.metadata));
  const capable = runtimes.some(({ capabilities }) => Array.isArray(capabilities) && capabilities.includes(WORKTREE_CAPABILITY));
  if (capable) return;
  const current = runtimes[0]?.["cli_version"];
  throw new HttpError(422, "this daemon cannot work in worktrees of a local directory", {
    code: VERSION_UNSUPPORTED,
    extra: { current_version: typeof current === "string" ? current : "", min_version: WORKTREE_VERSION },
  });
}

function nextPosition(tx: Tx, projectId: string): number {
  const sql = "SELECT coalesce(max(position) + 1, 0) AS position FROM project_resource WHERE project_id = :projectId";
  return one<{ position: number }>(tx.db, sql, { projectId })?.position ?? 0;
}

function oneDirectory(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "this project already has a local directory on that daemon", { cause: error });
    throw error;
  }
}
