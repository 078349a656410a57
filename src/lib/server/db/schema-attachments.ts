/** Uploaded files (server-api.md 13.7); their bytes are in a directory beside the database, named by the row's id. */
export const SCHEMA_ATTACHMENTS = `
CREATE TABLE attachment (
  id TEXT PRIMARY KEY,
  -- Null for a picture that belongs to a person, not to a workspace.
  workspace_id TEXT REFERENCES workspace(id) ON DELETE CASCADE,
  issue_id TEXT REFERENCES issue(id) ON DELETE CASCADE,
  comment_id TEXT REFERENCES comment(id) ON DELETE CASCADE,
  chat_session_id TEXT,
  chat_message_id TEXT,
  task_id TEXT REFERENCES task(id) ON DELETE SET NULL,
  uploader_type TEXT NOT NULL,
  uploader_id TEXT NOT NULL,
  filename TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attachment_of_issue ON attachment (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX attachment_of_comment ON attachment (comment_id) WHERE comment_id IS NOT NULL;
CREATE INDEX attachment_of_chat ON attachment (chat_session_id) WHERE chat_session_id IS NOT NULL;
CREATE INDEX attachment_of_task ON attachment (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX issue_origin ON issue (origin_id) WHERE origin_id IS NOT NULL;
`;
