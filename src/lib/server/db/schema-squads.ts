/** Squads and what people are told (server-api.md 13.12, 13.15). */
export const SCHEMA_SQUADS = `
CREATE TABLE squad (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  instructions TEXT NOT NULL DEFAULT '',
  avatar_url TEXT,
  leader_id TEXT NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
  creator_id TEXT REFERENCES user(id) ON DELETE SET NULL,
  archived_at INTEGER,
  archived_by TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX squad_name ON squad (workspace_id, name) WHERE archived_at IS NULL;

CREATE TABLE squad_member (
  id TEXT PRIMARY KEY,
  squad_id TEXT NOT NULL REFERENCES squad(id) ON DELETE CASCADE,
  member_type TEXT NOT NULL CHECK (member_type IN ('agent', 'member')),
  member_id TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'member',
  created_at INTEGER NOT NULL,
  UNIQUE (squad_id, member_type, member_id)
) STRICT;

CREATE TABLE inbox_item (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  recipient_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  severity TEXT NOT NULL DEFAULT 'info',
  issue_id TEXT REFERENCES issue(id) ON DELETE SET NULL,
  title TEXT NOT NULL,
  body TEXT,
  read INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0,
  actor_type TEXT,
  actor_id TEXT,
  details TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_of_recipient ON inbox_item (recipient_id, workspace_id, archived, created_at);
`;
