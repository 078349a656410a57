/** Triggers that an address sets off (server-api.md 13.13). They have no schedule, so its columns may be empty now. */
export const SCHEMA_WEBHOOKS = `
ALTER TABLE autopilot_trigger RENAME TO autopilot_trigger_before;
DROP INDEX autopilot_trigger_due;
CREATE TABLE autopilot_trigger (
  id TEXT PRIMARY KEY,
  autopilot_id TEXT NOT NULL REFERENCES autopilot(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('schedule', 'webhook')),
  enabled INTEGER NOT NULL DEFAULT 1,
  cron_expression TEXT,
  timezone TEXT,
  next_run_at INTEGER,
  webhook_token TEXT UNIQUE,
  provider TEXT,
  signing_secret TEXT,
  event_filters TEXT NOT NULL DEFAULT '[]',
  label TEXT,
  last_fired_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK (kind <> 'schedule' OR (cron_expression IS NOT NULL AND timezone IS NOT NULL)),
  CHECK (kind <> 'webhook' OR webhook_token IS NOT NULL)
) STRICT;
INSERT INTO autopilot_trigger (id, autopilot_id, kind, enabled, cron_expression, timezone, next_run_at, label, last_fired_at, created_at, updated_at)
  SELECT id, autopilot_id, kind, enabled, cron_expression, timezone, next_run_at, label, last_fired_at, created_at, updated_at
  FROM autopilot_trigger_before ORDER BY rowid;
DROP TABLE autopilot_trigger_before;
CREATE INDEX autopilot_trigger_due ON autopilot_trigger (next_run_at) WHERE enabled = 1 AND next_run_at IS NOT NULL;
`;
