/**
 * The first schema of the embedded server (server-api.md 14.4).
 * Ids are UUID text, times are epoch milliseconds (comment and task order needs them finer than the
 * seconds that go over the wire), JSON is text that was parsed before it was stored.
 */
export const SCHEMA_V1 = `
CREATE TABLE user (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  avatar_url TEXT,
  language TEXT,
  timezone TEXT,
  profile_description TEXT NOT NULL DEFAULT '',
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE workspace (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  description TEXT,
  context TEXT,
  avatar_url TEXT,
  settings TEXT NOT NULL DEFAULT '{}',
  repos TEXT NOT NULL DEFAULT '[]',
  issue_prefix TEXT NOT NULL,
  next_issue_number INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE member (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  created_at INTEGER NOT NULL,
  UNIQUE (workspace_id, user_id)
) STRICT;

CREATE TABLE runtime_profile (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  display_name TEXT NOT NULL,
  protocol_family TEXT NOT NULL,
  command_name TEXT NOT NULL,
  description TEXT,
  fixed_args TEXT NOT NULL DEFAULT '[]',
  visibility TEXT NOT NULL DEFAULT 'workspace',
  enabled INTEGER NOT NULL DEFAULT 1,
  created_by TEXT REFERENCES user(id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (workspace_id, display_name)
) STRICT;

CREATE TABLE agent_runtime (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  daemon_id TEXT,
  provider TEXT NOT NULL,
  profile_id TEXT REFERENCES runtime_profile(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  custom_name TEXT,
  runtime_mode TEXT NOT NULL DEFAULT 'local',
  status TEXT NOT NULL CHECK (status IN ('online', 'offline')),
  device_info TEXT NOT NULL DEFAULT '',
  metadata TEXT NOT NULL DEFAULT '{}',
  owner_id TEXT REFERENCES user(id) ON DELETE SET NULL,
  visibility TEXT NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  last_seen_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX agent_runtime_built_in ON agent_runtime (workspace_id, daemon_id, provider) WHERE profile_id IS NULL;
CREATE UNIQUE INDEX agent_runtime_profile ON agent_runtime (workspace_id, daemon_id, profile_id) WHERE profile_id IS NOT NULL;

CREATE TABLE agent (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  runtime_id TEXT REFERENCES agent_runtime(id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  instructions TEXT NOT NULL DEFAULT '',
  avatar_url TEXT,
  custom_env TEXT NOT NULL DEFAULT '{}',
  custom_args TEXT NOT NULL DEFAULT '[]',
  mcp_config TEXT,
  runtime_config TEXT NOT NULL DEFAULT '{}',
  model TEXT NOT NULL DEFAULT '',
  thinking_level TEXT NOT NULL DEFAULT '',
  service_tier TEXT NOT NULL DEFAULT '',
  max_concurrent_tasks INTEGER NOT NULL DEFAULT 6,
  permission_mode TEXT NOT NULL DEFAULT 'private' CHECK (permission_mode IN ('private', 'public_to')),
  invocation_targets TEXT NOT NULL DEFAULT '[]',
  owner_id TEXT REFERENCES user(id) ON DELETE SET NULL,
  archived_at INTEGER,
  archived_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (workspace_id, name)
) STRICT;

CREATE TABLE issue (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  status TEXT NOT NULL,
  priority TEXT NOT NULL,
  assignee_type TEXT,
  assignee_id TEXT,
  creator_type TEXT NOT NULL,
  creator_id TEXT NOT NULL,
  parent_issue_id TEXT REFERENCES issue(id) ON DELETE SET NULL,
  project_id TEXT,
  position REAL NOT NULL DEFAULT 0,
  stage INTEGER,
  start_date TEXT,
  due_date TEXT,
  origin_type TEXT,
  origin_id TEXT,
  metadata TEXT NOT NULL DEFAULT '{}',
  revision INTEGER NOT NULL DEFAULT 1,
  last_activity_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (workspace_id, number)
) STRICT;
CREATE INDEX issue_parent ON issue (parent_issue_id) WHERE parent_issue_id IS NOT NULL;

CREATE TABLE comment (
  id TEXT PRIMARY KEY,
  issue_id TEXT NOT NULL REFERENCES issue(id) ON DELETE CASCADE,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  author_type TEXT NOT NULL CHECK (author_type IN ('member', 'agent', 'system')),
  author_id TEXT NOT NULL,
  content TEXT NOT NULL,
  type TEXT NOT NULL DEFAULT 'comment',
  parent_id TEXT REFERENCES comment(id) ON DELETE CASCADE,
  source_task_id TEXT,
  resolved_at INTEGER,
  resolved_by_type TEXT,
  resolved_by_id TEXT,
  revision INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX comment_of_issue ON comment (issue_id, created_at);
CREATE INDEX comment_parent ON comment (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE subscriber (
  issue_id TEXT NOT NULL REFERENCES issue(id) ON DELETE CASCADE,
  user_type TEXT NOT NULL CHECK (user_type IN ('member', 'agent')),
  user_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (issue_id, user_type, user_id)
) STRICT;

CREATE TABLE label (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  resource_type TEXT NOT NULL DEFAULT 'issue',
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  color TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (workspace_id, resource_type, name)
) STRICT;

CREATE TABLE issue_label (
  issue_id TEXT NOT NULL REFERENCES issue(id) ON DELETE CASCADE,
  label_id TEXT NOT NULL REFERENCES label(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (issue_id, label_id)
) STRICT;

CREATE TABLE activity (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  issue_id TEXT NOT NULL REFERENCES issue(id) ON DELETE CASCADE,
  actor_type TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  action TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_of_issue ON activity (issue_id, created_at);

-- issue_id is kept by value until the issue goes: a cancelled row of a deleted issue still answers its daemon.
-- runtime_id has no reference on purpose: history outlives the runtime that made it.
CREATE TABLE task (
  id TEXT PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
  runtime_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  issue_id TEXT REFERENCES issue(id) ON DELETE SET NULL,
  chat_session_id TEXT,
  autopilot_run_id TEXT,
  status TEXT NOT NULL CHECK (status IN
    ('queued', 'deferred', 'dispatched', 'waiting_local_directory', 'running', 'completed', 'failed', 'cancelled')),
  priority INTEGER NOT NULL DEFAULT 0,
  trigger_comment_id TEXT,
  coalesced_comment_ids TEXT NOT NULL DEFAULT '[]',
  trigger_summary TEXT NOT NULL DEFAULT '',
  context TEXT NOT NULL DEFAULT '{}',
  is_leader_task INTEGER NOT NULL DEFAULT 0,
  squad_id TEXT,
  originator_user_id TEXT,
  initiator_type TEXT,
  initiator_id TEXT,
  attempt INTEGER NOT NULL DEFAULT 1,
  max_attempts INTEGER NOT NULL DEFAULT 2,
  parent_task_id TEXT,
  rerun_of_task_id TEXT,
  force_fresh_session INTEGER NOT NULL DEFAULT 0,
  session_id TEXT,
  session_runtime_id TEXT,
  retired_session_id TEXT,
  work_dir TEXT,
  durable_work_dir TEXT,
  branch_name TEXT,
  session_missing INTEGER NOT NULL DEFAULT 0,
  result TEXT,
  error TEXT,
  failure_reason TEXT,
  wait_reason TEXT,
  cancel_acked_at INTEGER,
  fire_at INTEGER,
  dispatched_at INTEGER,
  prepare_lease_expires_at INTEGER,
  started_at INTEGER,
  completed_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_pending_pair ON task (issue_id, agent_id) WHERE status IN ('queued', 'dispatched');
CREATE INDEX task_of_runtime ON task (runtime_id, status);
CREATE INDEX task_of_issue ON task (issue_id, agent_id, created_at);
CREATE INDEX task_live ON task (status) WHERE status NOT IN ('completed', 'failed', 'cancelled');

CREATE TABLE task_message (
  task_id TEXT NOT NULL REFERENCES task(id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  tool TEXT,
  content TEXT,
  input TEXT,
  output TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (task_id, seq)
) STRICT;

CREATE TABLE task_usage (
  task_id TEXT NOT NULL REFERENCES task(id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd_ticks INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (task_id, provider, model)
) STRICT;

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('personal', 'task', 'daemon')),
  hash TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  name TEXT NOT NULL DEFAULT '',
  agent_id TEXT REFERENCES agent(id) ON DELETE CASCADE,
  task_id TEXT REFERENCES task(id) ON DELETE CASCADE,
  workspace_id TEXT REFERENCES workspace(id) ON DELETE CASCADE,
  daemon_id TEXT,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_of_task ON token (task_id) WHERE task_id IS NOT NULL;
`;
