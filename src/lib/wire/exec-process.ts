/** Final states: `exited`, `lost`, `failed` (exec-sessions.md 13). */
export type ExecState = "starting" | "attached" | "detached" | "exited" | "lost" | "failed";

/** True when the process has ended, however it did. */
export function isFinalExecState(state: ExecState): boolean {
  return state === "exited" || state === "lost" || state === "failed";
}

export type ExecReason =
  | "exited"
  | "terminated"
  | "killed"
  | "expired"
  | "pruned"
  | "replaced"
  | "host_lost"
  | "host_error"
  | "reboot"
  | "spawn_error"
  | "shutdown";

/**
 * One row of `exec_process` (exec-sessions.md 13): a command under an exec host. Times are epoch milliseconds; `argv` is a
 * JSON array; values of the environment are never stored.
 */
export interface ExecProcessRow {
  readonly thread_id: string;
  readonly process_id: string;
  /** 1, and one more each time the id is used again in the thread. */
  readonly generation: number;
  /** Random name of directory and socket; also what every process of the command bears as `MULTICA_EXEC_XID`. */
  readonly xid: string;
  readonly state: ExecState;
  readonly keep: 0 | 1;
  readonly expires_at_ms: number | null;
  readonly argv: string;
  readonly cwd: string;
  readonly tty: 0 | 1;
  readonly stdin: "none" | "pipe" | "tty";
  readonly cols: number;
  readonly rows: number;
  readonly label: string | null;
  readonly owner_kind: "task" | "operator";
  readonly task_id: string | null;
  readonly agent_id: string | null;
  readonly issue_id: string | null;
  readonly env_root: string | null;
  readonly host_pid: number | null;
  readonly host_start_key: string | null;
  readonly boot_id: string | null;
  readonly child_pid: number | null;
  readonly child_start_key: string | null;
  readonly dir: string;
  readonly socket: string;
  readonly proto: number;
  /** SHA-256 of the host's nonce. */
  readonly nonce_hash: string;
  /** Cursor of reads without a position. */
  readonly poll_seq: number;
  readonly last_used_ms: number;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly detached_at_ms: number | null;
  readonly exited_at_ms: number | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly reason: ExecReason | null;
  readonly last_seq: number;
  readonly total_bytes: number;
  readonly dropped_bytes: number;
}

/** What may change after the insertion. */
export type ExecProcessPatch = Partial<Omit<ExecProcessRow, "thread_id" | "process_id" | "generation" | "xid">>;
