/** Conversations of a person with an agent (server-api.md 13.14). `seq` is the order; times of one turn may be equal. */
export const SCHEMA_CHAT = `
CREATE TABLE chat_session (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
  creator_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  project_id TEXT,
  title TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
  pinned INTEGER NOT NULL DEFAULT 0,
  read_seq INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX chat_session_of ON chat_session (workspace_id, creator_id, updated_at);

CREATE TABLE chat_message (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  chat_session_id TEXT NOT NULL REFERENCES chat_session(id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
  content TEXT NOT NULL,
  -- The run that answers a user's message, or that wrote an assistant's.
  task_id TEXT,
  failure_reason TEXT,
  elapsed_ms INTEGER,
  message_kind TEXT NOT NULL DEFAULT 'message',
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX chat_message_of ON chat_message (chat_session_id, seq);
CREATE INDEX chat_message_task ON chat_message (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX task_of_chat ON task (chat_session_id, created_at) WHERE chat_session_id IS NOT NULL;
`;
