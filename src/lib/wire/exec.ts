import { z } from "zod";
import type { ExecState } from "./exec-process.ts";

/** Names a conversation, a task, an agent's own session or an operator's set (exec-sessions.md 14). */
export const THREAD_ID = /^[a-z]+:[A-Za-z0-9._:-]{1,160}$/;

const count = z.number().int().min(0);
const processId = z.string().regex(/^\d{1,9}$/, "is not a process id");
const size = z.number().int().min(1).max(1000);

/** `POST /exec` (exec-sessions.md 18.2). Times in milliseconds; `ttl_ms: 0` = no limit. */
export const execStartSchema = z.looseObject({
  thread_id: z.string().optional(),
  task_id: z.string().optional(),
  issue_id: z.string().optional(),
  argv: z.array(z.string()).min(1, "is empty"),
  cwd: z.string().startsWith("/", "is not absolute"),
  env: z.record(z.string(), z.string()),
  tty: z.boolean().optional(),
  cols: size.optional(),
  rows: size.optional(),
  stdin: z.enum(["none", "pipe"]).optional(),
  keep: z.boolean().optional(),
  detach: z.boolean().optional(),
  label: z.string().max(200).optional(),
  ttl_ms: count.optional(),
  yield_ms: count.optional(),
  max_output_tokens: count.optional(),
  limits: z.looseObject({ ring_bytes: count.optional(), max_bytes: count.optional(), rate: count.optional(), orphan_ms: count.optional() }).optional(),
  leave_children: z.boolean().optional(),
});
export type ExecStartRequest = z.input<typeof execStartSchema>;

/** `POST /exec/{thread}/{process}/read`. */
export const execReadSchema = z.looseObject({
  after_seq: count.optional(),
  yield_ms: count.optional(),
  max_output_tokens: count.optional(),
  max_bytes: count.min(1).optional(),
  raw: z.boolean().optional(),
});
export type ExecReadRequest = z.input<typeof execReadSchema>;

/** `POST /exec/{thread}/{process}/write`: `data` is base64, `text` is typed as it is. */
export const execWriteSchema = z.looseObject({
  data: z.string().optional(),
  text: z.string().optional(),
  write_id: z.string().min(1).max(64),
  close_stdin: z.boolean().optional(),
  yield_ms: count.optional(),
  max_output_tokens: count.optional(),
  read: z.boolean().optional(),
});
export type ExecWriteRequest = z.input<typeof execWriteSchema>;

export const execResizeSchema = z.looseObject({ cols: size, rows: size });
export const execSignalSchema = z.looseObject({
  name: z.enum(["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL", "STOP", "CONT"]),
  target: z.enum(["group", "leader"]).optional(),
});
export type ExecSignalRequest = z.input<typeof execSignalSchema>;
export const execKillSchema = z.looseObject({ grace_ms: count.optional(), force: z.boolean().optional() });
export const execKeepSchema = z.looseObject({ keep: z.boolean(), ttl_ms: count.optional() });
export const execMoveSchema = z.looseObject({
  thread_id: z.string().optional(),
  task_id: z.string().optional(),
  issue_id: z.string().optional(),
  process_ids: z.array(processId).optional(),
  ttl_ms: count.optional(),
});
export type ExecMoveRequest = z.input<typeof execMoveSchema>;
export const execCleanSchema = z.looseObject({
  thread_id: z.string().optional(),
  task_id: z.string().optional(),
  issue_id: z.string().optional(),
  all: z.boolean().optional(),
  include_attached: z.boolean().optional(),
  finished: z.boolean().optional(),
});
export type ExecCleanRequest = z.input<typeof execCleanSchema>;
export const execGcSchema = z.looseObject({ dry_run: z.boolean().optional() });

/** Result of start, read and write (exec-sessions.md 18.3). */
export interface ExecOutput {
  readonly thread_id: string;
  /** Null when the command has finished. */
  readonly process_id: string | null;
  readonly chunk_id: string;
  readonly wall_ms: number;
  readonly output: string;
  readonly output_bytes: number;
  readonly original_token_count: number;
  readonly truncated: boolean;
  /** Bytes that are not in `output` because the log or the view did not keep them. */
  readonly gap_bytes: number;
  readonly from_seq: number;
  readonly next_seq: number;
  readonly running: boolean;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly closed: boolean;
}

/** One process as clients see it (exec-sessions.md 18.2). Times are ISO 8601. */
export interface ExecRecord {
  readonly thread_id: string;
  readonly process_id: string;
  readonly generation: number;
  readonly state: ExecState;
  readonly command: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly tty: boolean;
  readonly label: string | null;
  readonly keep: boolean;
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly detached_at: string | null;
  readonly expires_at: string | null;
  readonly exited_at: string | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly last_seq: number;
  readonly total_bytes: number;
  readonly dropped_bytes: number;
  readonly task_id: string | null;
  readonly issue_id: string | null;
  readonly env_root: string | null;
  /** Directory of the log and the host's files. */
  readonly dir: string;
  readonly adopted: boolean;
  readonly degraded: boolean;
}

/** Answer of `POST /exec`: the output, the record's log directory, and a word near the limit. */
export interface ExecStartedAnswer extends ExecOutput {
  /** Set also when the command has finished within the call. */
  readonly started_process_id: string;
  readonly duration_ms: number;
  readonly warning?: string;
}

export interface DetachSummary {
  readonly process_count: number;
  /** Ascending as text. */
  readonly process_ids: readonly string[];
}

export interface ReattachSummary {
  readonly reattached_count: number;
  readonly skipped_count: number;
  readonly skipped_process_ids: readonly string[];
}

/** What a look for leftovers did, xids or `thread/process` each (exec-sessions.md 20.4). */
export interface GcReport {
  readonly adopted: readonly string[];
  readonly removed: readonly string[];
  readonly killed: readonly string[];
  readonly kept: readonly string[];
}
