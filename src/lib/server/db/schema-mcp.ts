/** MCP servers of a workspace, and which agents start them (server-api.md 13.2, 13.9.1). `config` may hold credentials. */
export const SCHEMA_MCP = `
CREATE TABLE mcp_server (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  config TEXT NOT NULL,
  created_by TEXT REFERENCES user(id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (workspace_id, name)
) STRICT;

CREATE TABLE agent_mcp_server (
  agent_id TEXT NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
  server_id TEXT NOT NULL REFERENCES mcp_server(id) ON DELETE CASCADE,
  enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, server_id)
) STRICT;
CREATE INDEX agent_mcp_server_server ON agent_mcp_server (server_id);
`;
