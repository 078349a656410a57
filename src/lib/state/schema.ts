import { sha256Hex } from "../core/index.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** Lowest schema version a program must know to read, and to write, a file of this version. */
  readonly minReader: number;
  readonly minWriter: number;
}

export const FAMILY = "multica-state";

/** Lowest schema version of a file that this program can read without migrating it. */
export const OLDEST_READABLE = 1;

/** What begins both files (state-db.md 15.1). Released with their first steps: not a character of it may change. */
export const BOTH_FILES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE migration (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at_ms INTEGER NOT NULL,
  app_version TEXT NOT NULL
) STRICT;

CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_key TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  acquired_at_ms INTEGER NOT NULL,
  renewed_at_ms INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL
) STRICT;

`;

/**
 * Steps of the state file's schema, in order (state-db.md 15, 16). A released step is never edited: its checksum is in
 * every file that it was applied to. Later tables (sessions, environments, processes) are further steps.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "runs and tasks",
    minReader: 1,
    minWriter: 1,
    sql: `${BOTH_FILES}CREATE TABLE daemon_run (
  run_id TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL UNIQUE,
  pid INTEGER NOT NULL,
  start_key TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  version TEXT NOT NULL,
  port INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL,
  ready_at_ms INTEGER,
  stopped_at_ms INTEGER,
  stop_reason TEXT CHECK (stop_reason IN ('clean', 'restart', 'crash', 'fatal'))
) STRICT;

CREATE TABLE task (
  task_id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  runtime_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  issue_id TEXT,
  chat_session_id TEXT,
  autopilot_run_id TEXT,
  provider TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN
    ('claimed', 'preparing', 'waiting_local_directory', 'running', 'reporting', 'done', 'lost')),
  env_root TEXT,
  work_dir TEXT,
  session_id TEXT,
  prior_session_id TEXT,
  agent_pid INTEGER,
  agent_start_key TEXT,
  agent_boot_id TEXT,
  agent_pgid INTEGER,
  next_seq INTEGER NOT NULL DEFAULT 1,
  acked_seq INTEGER NOT NULL DEFAULT 0,
  dropped_batches INTEGER NOT NULL DEFAULT 0,
  terminal_kind TEXT CHECK (terminal_kind IN ('complete', 'fail', 'cancelled')),
  run_id TEXT NOT NULL REFERENCES daemon_run(run_id),
  claimed_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  error TEXT
) STRICT;

CREATE INDEX task_phase ON task(phase);
CREATE INDEX task_issue_agent ON task(issue_id, agent_id);
CREATE INDEX task_run ON task(run_id);
`,
  },
  {
    version: 2,
    name: "outbox",
    minReader: 1,
    // A program without an outbox would let the server give up tasks whose results wait here.
    minWriter: 2,
    sql: `
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  lane TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('messages', 'session', 'usage', 'complete', 'fail', 'result')),
  path TEXT NOT NULL,
  body TEXT NOT NULL,
  body_bytes INTEGER NOT NULL,
  first_seq INTEGER,
  last_seq INTEGER,
  dedupe_key TEXT UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('queued', 'inflight', 'ambiguous', 'dead')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_ms INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  last_status INTEGER,
  last_error TEXT
) STRICT;

CREATE INDEX outbox_state ON outbox(state, next_attempt_ms);
CREATE INDEX outbox_lane ON outbox(lane, id);

CREATE TABLE outbox_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  outbox_id INTEGER NOT NULL,
  lane TEXT NOT NULL,
  kind TEXT NOT NULL,
  result TEXT NOT NULL,
  status INTEGER,
  attempts INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
`,
  },
  {
    version: 3,
    name: "exec processes",
    minReader: 1,
    // A program that does not know them would leave their hosts without an owner.
    minWriter: 3,
    sql: `
CREATE TABLE exec_process (
  thread_id TEXT NOT NULL,
  process_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  xid TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('starting', 'attached', 'detached', 'exited', 'lost', 'failed')),
  keep INTEGER NOT NULL DEFAULT 0,
  expires_at_ms INTEGER,
  argv TEXT NOT NULL,
  cwd TEXT NOT NULL,
  tty INTEGER NOT NULL,
  stdin TEXT NOT NULL CHECK (stdin IN ('none', 'pipe', 'tty')),
  cols INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  label TEXT,
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('task', 'operator')),
  task_id TEXT,
  agent_id TEXT,
  issue_id TEXT,
  env_root TEXT,
  host_pid INTEGER,
  host_start_key TEXT,
  boot_id TEXT,
  child_pid INTEGER,
  child_start_key TEXT,
  dir TEXT NOT NULL,
  socket TEXT NOT NULL,
  proto INTEGER NOT NULL,
  nonce_hash TEXT NOT NULL,
  poll_seq INTEGER NOT NULL DEFAULT 0,
  last_used_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  detached_at_ms INTEGER,
  exited_at_ms INTEGER,
  exit_code INTEGER,
  signal TEXT,
  reason TEXT,
  last_seq INTEGER NOT NULL DEFAULT 0,
  total_bytes INTEGER NOT NULL DEFAULT 0,
  dropped_bytes INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (thread_id, process_id, generation)
) STRICT;

CREATE UNIQUE INDEX exec_process_live ON exec_process(thread_id, process_id) WHERE state IN ('starting', 'attached', 'detached');
CREATE INDEX exec_process_state ON exec_process(state);
`,
  },
  {
    version: 4,
    name: "agents under exec hosts",
    minReader: 1,
    // A program that does not know them would end the agents and hand their tasks back.
    minWriter: 4,
    sql: `
ALTER TABLE task ADD COLUMN token_hash TEXT;
ALTER TABLE task ADD COLUMN agent_host TEXT;
ALTER TABLE task ADD COLUMN log_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN log_message INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN log_held INTEGER NOT NULL DEFAULT 0;
`,
  },
  {
    version: 5,
    name: "environments and sessions",
    minReader: 1,
    // A program that does not know them leaves them as they are.
    minWriter: 4,
    sql: `
CREATE TABLE env_root (
  path TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('managed', 'local_directory')),
  workspace_id TEXT NOT NULL,
  task_short_id TEXT NOT NULL,
  issue_id TEXT,
  chat_session_id TEXT,
  agent_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  work_dir TEXT NOT NULL,
  codex_home TEXT,
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL,
  in_use_task_id TEXT,
  in_use_run_id TEXT,
  removed_at_ms INTEGER
) STRICT;

CREATE INDEX env_root_run ON env_root(in_use_run_id);

CREATE TABLE session (
  provider TEXT NOT NULL,
  session_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  issue_id TEXT,
  chat_session_id TEXT,
  work_dir TEXT NOT NULL,
  env_root TEXT NOT NULL,
  rollout_path TEXT,
  first_task_id TEXT NOT NULL,
  last_task_id TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL,
  poisoned INTEGER NOT NULL DEFAULT 0,
  retired_reason TEXT,
  PRIMARY KEY (provider, session_id)
) STRICT;

CREATE INDEX session_agent_issue ON session(agent_id, issue_id);
`,
  },
  {
    version: 6,
    name: "checks of report bodies",
    minReader: 1,
    minWriter: 4,
    // NULL = written by a program that did not know it: not checked.
    sql: "ALTER TABLE outbox ADD COLUMN body_crc INTEGER;\n",
  },
];

export function checksum(migration: Migration): string {
  return sha256Hex(migration.sql);
}
