import { BOTH_FILES, type Migration } from "../schema.ts";

export const INDEX_FAMILY = "multica-index";

/** Steps of the rollout index's schema (state-db.md 15.3). All of it can be made again from the rollouts. */
export const INDEX_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "homes, rollouts, threads",
    minReader: 1,
    minWriter: 1,
    sql: `${BOTH_FILES}CREATE TABLE scan_root (
  root_id INTEGER PRIMARY KEY,
  real_path TEXT NOT NULL UNIQUE,
  archived INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'complete')),
  watermark TEXT,
  last_success_ms INTEGER,
  files INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  generation INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE home (
  home_id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'task', 'store', 'extra')),
  sessions_root INTEGER,
  archived_root INTEGER,
  names_stamp TEXT,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ok', 'missing', 'error')),
  error TEXT
) STRICT;

CREATE INDEX home_sessions ON home(sessions_root);
CREATE INDEX home_archive ON home(archived_root);

CREATE TABLE rollout (
  path TEXT PRIMARY KEY,
  root_id INTEGER,
  thread_id TEXT,
  dev TEXT NOT NULL,
  ino TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_us INTEGER NOT NULL,
  parsed_bytes INTEGER NOT NULL,
  compressed INTEGER NOT NULL,
  archived INTEGER NOT NULL,
  parse_errors INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ok', 'empty', 'no_meta', 'unreadable')),
  verified_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX rollout_thread ON rollout(thread_id);
CREATE INDEX rollout_inode ON rollout(dev, ino);
CREATE INDEX rollout_root ON rollout(root_id);

CREATE TABLE thread (
  provider TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  rollout_path TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  title TEXT NOT NULL,
  first_user_message TEXT NOT NULL,
  preview TEXT NOT NULL,
  cwd TEXT,
  source TEXT,
  thread_source TEXT,
  originator TEXT,
  model_provider TEXT,
  model TEXT,
  reasoning_effort TEXT,
  cli_version TEXT,
  sandbox_policy TEXT,
  approval_mode TEXT,
  tokens_used INTEGER NOT NULL,
  archived INTEGER NOT NULL,
  archived_at_ms INTEGER,
  git_sha TEXT,
  git_branch TEXT,
  git_origin_url TEXT,
  agent_nickname TEXT,
  agent_role TEXT,
  agent_path TEXT,
  forked_from_id TEXT,
  parent_thread_id TEXT,
  history_mode TEXT,
  memory_mode TEXT,
  task_id TEXT,
  issue_id TEXT,
  agent_id TEXT,
  workspace_id TEXT,
  PRIMARY KEY (provider, thread_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX thread_updated ON thread(archived, updated_at_ms DESC, thread_id DESC) WHERE preview <> '';
CREATE INDEX thread_created ON thread(archived, created_at_ms DESC, thread_id DESC) WHERE preview <> '';
CREATE INDEX thread_cwd ON thread(archived, cwd, updated_at_ms DESC);
CREATE INDEX thread_issue ON thread(issue_id);
CREATE INDEX thread_task ON thread(task_id);
CREATE INDEX thread_path ON thread(rollout_path);

-- Names given by hand; they stand beside the rollouts, so one can be there before or without the other.
CREATE TABLE thread_name (
  thread_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
  },
];
