import { parseJson } from "../../core/index.ts";
import type { Project, ProjectResource } from "../../wire/index.ts";
import { isoSeconds } from "./time.ts";

export interface ProjectRow {
  id: string;
  workspace_id: string;
  title: string;
  description: string | null;
  icon: string | null;
  status: string;
  priority: string;
  lead_type: string | null;
  lead_id: string | null;
  start_date: string | null;
  due_date: string | null;
  created_at: number;
  updated_at: number;
}

export interface ProjectResourceRow {
  id: string;
  project_id: string;
  workspace_id: string;
  resource_type: string;
  resource_ref: string;
  label: string | null;
  position: number;
  daemon_id: string | null;
  created_by: string | null;
  created_at: number;
  updated_at: number;
}

export interface ProjectCounts {
  readonly issue_count: number;
  readonly done_count: number;
  readonly resource_count: number;
}

/** Project as in server-api.md 13.8. */
export function projectWire(row: ProjectRow & ProjectCounts): Project {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    title: row.title,
    description: row.description,
    icon: row.icon,
    status: row.status,
    priority: row.priority,
    lead_type: row.lead_type,
    lead_id: row.lead_id,
    start_date: row.start_date,
    due_date: row.due_date,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    issue_count: row.issue_count,
    done_count: row.done_count,
    resource_count: row.resource_count,
  };
}

export function resourceWire(row: ProjectResourceRow): ProjectResource {
  return {
    id: row.id,
    project_id: row.project_id,
    workspace_id: row.workspace_id,
    resource_type: row.resource_type,
    resource_ref: parseJson(row.resource_ref) ?? {},
    label: row.label,
    position: row.position,
    created_at: isoSeconds(row.created_at),
    created_by: row.created_by,
  };
}
