/** Autopilots, when they fire, and what came of it (server-api.md 13.13). */
export const SCHEMA_AUTOPILOTS = `
CREATE TABLE autopilot (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  description TEXT,
  project_id TEXT,
  priority TEXT NOT NULL DEFAULT 'none',
  assignee_type TEXT NOT NULL CHECK (assignee_type IN ('agent', 'squad')),
  assignee_id TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'archived')),
  execution_mode TEXT NOT NULL CHECK (execution_mode IN ('create_issue', 'run_only')),
  issue_title_template TEXT,
  created_by_type TEXT NOT NULL,
  created_by_id TEXT NOT NULL,
  -- The person whose rights the schedule runs with.
  owner_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  last_run_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX autopilot_workspace ON autopilot (workspace_id, created_at);

CREATE TABLE autopilot_subscriber (
  autopilot_id TEXT NOT NULL REFERENCES autopilot(id) ON DELETE CASCADE,
  user_type TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (autopilot_id, user_type, user_id)
) STRICT;

CREATE TABLE autopilot_trigger (
  id TEXT PRIMARY KEY,
  autopilot_id TEXT NOT NULL REFERENCES autopilot(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1,
  cron_expression TEXT NOT NULL,
  timezone TEXT NOT NULL,
  next_run_at INTEGER,
  label TEXT,
  last_fired_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX autopilot_trigger_due ON autopilot_trigger (next_run_at) WHERE enabled = 1 AND next_run_at IS NOT NULL;

CREATE TABLE autopilot_run (
  id TEXT PRIMARY KEY,
  autopilot_id TEXT NOT NULL REFERENCES autopilot(id) ON DELETE CASCADE,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  trigger_id TEXT,
  source TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'issue_created', 'running', 'skipped', 'completed', 'failed')),
  issue_id TEXT REFERENCES issue(id) ON DELETE SET NULL,
  task_id TEXT,
  trigger_payload TEXT,
  result TEXT,
  failure_reason TEXT,
  reason_code TEXT,
  idempotency_key TEXT,
  triggered_at INTEGER NOT NULL,
  completed_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX autopilot_run_of ON autopilot_run (autopilot_id, created_at);
CREATE UNIQUE INDEX autopilot_run_once ON autopilot_run (autopilot_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX task_of_autopilot ON task (autopilot_run_id) WHERE autopilot_run_id IS NOT NULL;
`;
