import { PRIORITIES, PROJECT_STATUSES, type ProjectInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type ProjectCounts, type ProjectRow, projectWire, resourceWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { dateColumn, oneOf, requireMember } from "../issue-input.ts";
import { addResource, resourcesOf } from "./resources.ts";

type CountedProject = ProjectRow & ProjectCounts;

const SELECT = `SELECT p.*,
    (SELECT count(*) FROM issue i WHERE i.project_id = p.id) AS issue_count,
    (SELECT count(*) FROM issue i WHERE i.project_id = p.id AND i.status = 'done') AS done_count,
    (SELECT count(*) FROM project_resource r WHERE r.project_id = p.id) AS resource_count
  FROM project p`;

/** Projects of the workspace, newest first; a filter that is null lets everything through (server-api.md 13.8). */
export function listProjects(db: Tx["db"], workspaceId: string, filter: { status: string | null; priority: string | null; q: string | null }): object[] {
  const sql = `${SELECT} WHERE p.workspace_id = :workspaceId
    AND (:status IS NULL OR p.status = :status) AND (:priority IS NULL OR p.priority = :priority)
    AND (:q IS NULL OR instr(lower(p.title), :q) > 0 OR instr(lower(coalesce(p.description, '')), :q) > 0)
    ORDER BY p.created_at DESC, p.rowid DESC`;
  return all<CountedProject>(db, sql, { workspaceId, ...filter }).map(projectWire);
}

/** The project within its workspace; 404 `project not found`. */
export function loadProject(db: Tx["db"], workspaceId: string, id: string): CountedProject {
  const row = one<CountedProject>(db, `${SELECT} WHERE p.id = :id AND p.workspace_id = :workspaceId`, { id, workspaceId });
  if (row === undefined) throw notFound("project");
  return row;
}

/** Creates a project, with its first resources when the input names some, and returns its answer. */
export function createProject(tx: Tx, scope: Scope, input: ProjectInput): object {
  const id = tx.newId();
  const columns = checked(tx, scope.workspace.id, { ...input, title: input.title ?? "" });
  insert(tx.db, "project", { id, workspace_id: scope.workspace.id, ...columns, created_at: tx.now, updated_at: tx.now });
  const project = loadProject(tx.db, scope.workspace.id, id);
  for (const resource of input.resources ?? []) addResource(tx, project, scope.actor.userId, resource);
  const wire = projectWire(loadProject(tx.db, scope.workspace.id, id));
  return input.resources === undefined ? wire : { ...wire, resources: resourcesOf(tx.db, id).map(resourceWire) };
}

/** Partial update; a key that is present with null clears. */
export function updateProject(tx: Tx, project: ProjectRow, input: ProjectInput): object {
  update(tx.db, "project", project.id, { ...checked(tx, project.workspace_id, input), updated_at: tx.now });
  return projectWire(loadProject(tx.db, project.workspace_id, project.id));
}

/** Deletes the project; issues, chats and autopilots of it go on without one. */
export function deleteProject(tx: Tx, project: ProjectRow): void {
  const params = { id: project.id, now: tx.now };
  run(tx.db, "UPDATE issue SET project_id = NULL, revision = revision + 1, updated_at = :now WHERE project_id = :id", params);
  run(tx.db, "UPDATE autopilot SET project_id = NULL WHERE project_id = :id", { id: project.id });
  run(tx.db, "UPDATE chat_session SET project_id = NULL WHERE project_id = :id", { id: project.id });
  run(tx.db, "DELETE FROM project WHERE id = :id", { id: project.id });
}

function checked(tx: Tx, workspaceId: string, input: ProjectInput): Record<string, string | null> {
  const columns: Record<string, string | null> = {};
  if (input.title !== undefined) {
    columns["title"] = input.title.trim();
    if (columns["title"] === "") throw badRequest("title is required");
  }
  for (const key of ["description", "icon"] as const) if (input[key] !== undefined) columns[key] = input[key] ?? null;
  if (input.status !== undefined) columns["status"] = oneOf("status", input.status, PROJECT_STATUSES);
  if (input.priority !== undefined) columns["priority"] = oneOf("priority", input.priority, PRIORITIES);
  for (const key of ["start_date", "due_date"] as const) if (input[key] !== undefined) columns[key] = dateColumn(key, input[key]);
  return { ...columns, ...lead(tx, workspaceId, input) };
}

function lead(tx: Tx, workspaceId: string, input: ProjectInput): Record<string, string | null> {
  const { lead_type: type, lead_id: id } = input;
  if (type === undefined && id === undefined) return {};
  if (!type && !id) return { lead_type: null, lead_id: null };
  if (!type || !id) throw badRequest("lead_type and lead_id must be provided together");
  const wanted = id.toLowerCase();
  if (type === "member") requireMember(tx, workspaceId, wanted, "lead_id");
  else if (type === "agent") {
    const sql = "SELECT 1 FROM agent WHERE id = :wanted AND workspace_id = :workspaceId AND archived_at IS NULL";
    if (one(tx.db, sql, { wanted, workspaceId }) === undefined) throw badRequest("lead_id does not refer to an agent of this workspace");
  } else throw badRequest(`invalid lead_type ${JSON.stringify(type)}; valid values: member, agent`);
  return { lead_type: type, lead_id: wanted };
}
