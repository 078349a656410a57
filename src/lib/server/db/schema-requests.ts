/** Requests that wait for a daemon's heartbeat (server-api.md 9). Kept here so that a restart of the server loses none. */
export const SCHEMA_REQUESTS = `
CREATE TABLE runtime_request (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('update', 'models', 'local_skills', 'skill_import')),
  runtime_id TEXT NOT NULL REFERENCES agent_runtime(id) ON DELETE CASCADE,
  status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'timeout', 'conflict')),
  input TEXT NOT NULL DEFAULT '{}',
  result TEXT NOT NULL DEFAULT '{}',
  error TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX runtime_request_pending ON runtime_request (runtime_id, kind, created_at) WHERE status = 'pending';
CREATE INDEX runtime_request_age ON runtime_request (updated_at);
`;
