/** Custom properties of issues (server-api.md 13.4). Their values stand with the issue, by property id, so that lists need no join. */
export const SCHEMA_PROPERTIES = `
CREATE TABLE property (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  name TEXT NOT NULL COLLATE NOCASE,
  type TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  icon TEXT,
  config TEXT NOT NULL DEFAULT '{}',
  position INTEGER NOT NULL,
  archived_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (workspace_id, name)
) STRICT;
ALTER TABLE issue ADD COLUMN properties TEXT NOT NULL DEFAULT '{}';
`;
