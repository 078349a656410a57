/** Projects and what they work on (server-api.md 13.8). Issues keep existing when their project goes. */
export const SCHEMA_PROJECTS = `
CREATE TABLE project (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  description TEXT,
  icon TEXT,
  status TEXT NOT NULL DEFAULT 'planned',
  priority TEXT NOT NULL DEFAULT 'none',
  lead_type TEXT,
  lead_id TEXT,
  start_date TEXT,
  due_date TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX project_workspace ON project (workspace_id);
CREATE INDEX issue_project ON issue (project_id) WHERE project_id IS NOT NULL;

CREATE TABLE project_resource (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES project(id) ON DELETE CASCADE,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  resource_type TEXT NOT NULL,
  resource_ref TEXT NOT NULL,
  label TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  -- Whose machine a local directory is on: one directory a machine and project.
  daemon_id TEXT,
  created_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX project_resource_project ON project_resource (project_id, position);
CREATE UNIQUE INDEX project_resource_directory ON project_resource (project_id, daemon_id) WHERE daemon_id IS NOT NULL;
`;
