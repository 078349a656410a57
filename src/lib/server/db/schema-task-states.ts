/**
 * A task that waits in case another one does not begin, and what is still to be said of a cancelled chat turn
 * (server-api.md 11.4, 13.5.3, 13.14).
 */
export const SCHEMA_TASK_STATES = `
-- The task that this deferred one stands by for: it is not needed once that one has begun.
ALTER TABLE task ADD COLUMN escalates_task_id TEXT;
CREATE INDEX task_escalation ON task (escalates_task_id) WHERE escalates_task_id IS NOT NULL;
-- Set while the daemon of a cancelled chat turn may still send words: what becomes of the question if it sent none.
ALTER TABLE task ADD COLUMN chat_outcome TEXT CHECK (chat_outcome IN ('restore', 'keep'));
CREATE INDEX task_chat_outcome ON task (completed_at) WHERE chat_outcome IS NOT NULL;

-- What a person said in a turn that was cancelled before it answered: theirs to send again.
CREATE TABLE chat_draft (
  id TEXT PRIMARY KEY,
  chat_session_id TEXT NOT NULL REFERENCES chat_session(id) ON DELETE CASCADE,
  task_id TEXT NOT NULL,
  content TEXT NOT NULL,
  attachment_ids TEXT NOT NULL DEFAULT '[]',
  -- 1: the answer to the cancellation carries it; 0: it waits to be asked for.
  handed_over INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX chat_draft_of ON chat_draft (chat_session_id);
CREATE INDEX chat_draft_task ON chat_draft (task_id);
`;
