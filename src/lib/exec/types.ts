import type { Clock, Env, ProcessIdentity } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { ExecProcessPatch, ExecProcessRow, ExecState } from "../wire/exec-process.ts";
import type { ExecLauncher } from "./launcher.ts";
import type { DetachSummary, ExecOutput, ExecRecord, GcReport, ReattachSummary } from "../wire/exec.ts";

export type { DetachSummary, ExecRecord, GcReport, ReattachSummary };

/** Who a process belongs to: guard for the collector of environments, and what is shown. */
export interface ExecOwner {
  readonly kind: "task" | "operator";
  readonly taskId?: string;
  readonly agentId?: string;
  readonly issueId?: string;
  readonly envRoot?: string;
}

export interface ExecLimits {
  /** Log kept on disk: head (first MiB) and tail; 8 MiB unless given. */
  readonly ringBytes?: number;
  /** Output after which the command is ended; 0 = never. */
  readonly maxBytes?: number;
  /** Bytes a second after which the host reads more slowly; 64 MiB unless given. */
  readonly rate?: number;
  /** Time without an owner after which the host ends the command; 24 h with `keep`, 1 h without; 0 = never. */
  readonly orphanMs?: number;
}

export interface ExecStart {
  readonly threadId: string;
  readonly owner: ExecOwner;
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The whole environment of the command; the ids of the process are added. */
  readonly env: Env;
  readonly tty?: boolean;
  readonly cols?: number;
  readonly rows?: number;
  /** Without a terminal: `none` unless given. */
  readonly stdin?: "none" | "pipe";
  readonly label?: string;
  /** Survives the end of its thread. */
  readonly keep?: boolean;
  /** Parked at once; implies `keep`. */
  readonly detach?: boolean;
  /** Lifetime once detached; 24 h unless given, null = no limit. */
  readonly ttlMs?: number | null;
  /** Children in the background outlive the command. */
  readonly leaveChildren?: boolean;
  readonly limits?: ExecLimits;
  /** Live processes this thread may have: 64, or 16 for task tokens; warning from `max - 4` (16: 14). */
  readonly maxProcesses?: number;
  /**
   * The log also holds what was written to stdin, and nothing is dropped that the owner did not acknowledge
   * (the command is held back instead): for agents (decision 12).
   */
  readonly journal?: boolean;
  /** Kept in the host's memory only, at most 4 MiB of text: what a later owner needs and no file may hold. */
  readonly sealed?: string;
  /** Called with the host's identity before it is told what to run: passes it a lock. */
  readonly passLock?: (host: ProcessIdentity) => { readonly path: string; readonly token: string };
  readonly signal?: AbortSignal;
}

export interface YieldOptions {
  /** How long to wait for output; already clamped by the caller (`clampYield`). */
  readonly yieldMs: number;
  readonly maxOutputTokens?: number;
  /** Ends the wait, never the process. */
  readonly signal?: AbortSignal;
}

export interface ExecReadOptions extends YieldOptions {
  /** Position; without it the read goes on at the process's cursor, which `commit` moves. */
  readonly afterSeq?: number;
  /** Bytes as base64 in `output`, not truncated, up to this many. */
  readonly rawBytes?: number;
}

export interface ExecAnswer {
  readonly output: ExecOutput;
  /** Moves the read cursor: to be called when the answer has been handed over completely. */
  commit(): void;
}

export interface ExecStarted extends ExecAnswer {
  readonly record: ExecRecord;
  /** Set when the thread comes near its limit. */
  readonly warning: string | null;
}

export type LogKind = "stdout" | "stderr" | "pty" | "gap" | "resize" | "exited" | "closed" | "note" | "stdin";

/** One record of a process's log. `data` for stdout, stderr, pty and stdin; `gap` where the log kept nothing. */
export interface LogEvent {
  readonly seq: number;
  readonly timeMs: number;
  readonly kind: LogKind;
  readonly data?: Buffer;
  readonly gap?: { readonly first: number; readonly last: number; readonly bytes: number };
  readonly size?: { readonly cols: number; readonly rows: number };
  readonly exit?: { readonly code: number | null; readonly signal: string | null };
  readonly text?: string;
}

/** A finished process, once, after all its output (exec-sessions.md 16.5). `exitCode` is -1 when its host was lost. */
export interface ExecEnd {
  readonly threadId: string;
  readonly processId: string;
  readonly record: ExecRecord;
  readonly exitCode: number;
  readonly output: string;
  readonly durationMs: number;
}

export interface ExecFollow {
  readonly afterSeq: number;
  /** Bytes in flight that were not acknowledged; 1 MiB unless given. */
  readonly window?: number;
  /** Ends when the thread lets the process go (detach): for viewers that only the thread's task may have. */
  readonly sessionBound?: boolean;
  readonly signal: AbortSignal;
}

/** Records from a position on, live until the process is closed. `ack` opens the window again. */
export interface FollowStream extends AsyncIterable<LogEvent> {
  ack(seq: number): void;
}

export type WriteStatus = "accepted" | "duplicate" | "stdin_closed" | "exited" | "busy";

export interface ExecWrite {
  /** Empty with `closeStdin`: only the end of the input. */
  readonly data: Buffer;
  /** At most 64 characters; the same id is typed once. */
  readonly writeId: string;
  readonly closeStdin?: boolean;
}

export type SignalName = "INT" | "TERM" | "HUP" | "QUIT" | "USR1" | "USR2" | "KILL" | "STOP" | "CONT";

/** Where rows are kept; `state.exec` is one. Without it everything works in memory and from the hosts' directories. */
export interface ExecJournal {
  insert(row: ExecProcessRow): void;
  update(xid: string, patch: ExecProcessPatch): void;
  /** All patches or none; throws when they could not be written. */
  updateAll(patches: readonly { readonly xid: string; readonly patch: ExecProcessPatch }[]): void;
  remove(xid: string): void;
  list(): ExecProcessRow[];
}

export interface ExecParts {
  readonly stateDir: string;
  /** Of the state database, or one that lasts as long as the state directory. */
  readonly instanceId: string;
  /** Counter of daemon runs: the greater one owns the hosts. */
  readonly epoch: number;
  readonly journal: ExecJournal | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string>>;
  /** How the host is started; the product's own entry unless given. */
  readonly hostEntry?: string;
  /** What hosts are started with; nothing unless given. */
  readonly launcher?: ExecLauncher;
  readonly autoReattach?: boolean;
  /** Defaults of exec-sessions.md 21. */
  readonly bounds?: Partial<ExecBounds>;
}

export interface ExecBounds {
  readonly liveProcesses: number;
  readonly detachedTtlMs: number;
  /** Given to processes that a crash of the daemon left attached without `keep`. */
  readonly crashTtlMs: number;
  readonly retentionMs: number;
  readonly finishedRecords: number;
  readonly graceMs: number;
}

/**
 * Commands that outlive their caller (exec-sessions.md, part B). Errors are `MulticaError`s with the codes of 18.2:
 * `thread_not_loaded`, `process_not_found`, `limit`, `cwd_not_found`, `command_not_found`, `not_executable`,
 * `tty_unavailable`, `stdin_closed`, `not_a_tty`, `spawn_failed`, `invalid`.
 */
export interface ExecService {
  /** Step 7 of the daemon's start: takes the hosts of earlier runs over. Calls below wait for it up to 10 s where they need it. */
  adopt(): Promise<{ readonly adopted: number; readonly exited: number; readonly lost: number }>;

  /** A thread begins: what is stored for it is attached again, unless `autoReattach` is off. `op:*` threads need no call. */
  openThread(threadId: string): Promise<ReattachSummary>;
  /** A thread ends: `keep` processes are detached, the others ended (5 s grace) before this resolves. Not loaded: nothing. */
  closeThread(threadId: string): Promise<{ readonly detached: DetachSummary; readonly ended: DetachSummary }>;
  isLoaded(threadId: string): boolean;

  start(request: ExecStart, wait: YieldOptions): Promise<ExecStarted>;
  /** Starts an agent's process in a thread of `agentThread`; nobody but its task sees it. */
  startAgent(request: ExecStart): Promise<AgentHost>;
  /** Agents' processes of earlier runs, as `adopt` left them: alive, or ended with a host that waits for its owner. */
  agents(): AgentHost[];
  /** All known processes by thread and id, finished ones too; agents' are not among them. */
  list(filter?: { readonly threadId?: string; readonly state?: ExecState }): ExecRecord[];
  /** Throws `process_not_found`. Waits for a running adoption. */
  find(threadId: string, processId: string): Promise<ExecRecord>;
  read(threadId: string, processId: string, options: ExecReadOptions): Promise<ExecAnswer>;
  write(threadId: string, processId: string, write: ExecWrite): Promise<WriteStatus>;
  follow(threadId: string, processId: string, options: ExecFollow): Promise<FollowStream>;
  resize(threadId: string, processId: string, size: { readonly cols: number; readonly rows: number }): Promise<void>;
  signal(threadId: string, processId: string, name: SignalName, target?: "group" | "leader"): Promise<void>;
  /** False when it had ended already. `force` kills at once. Resolves when nothing of it lives. */
  terminate(threadId: string, processId: string, options?: { readonly graceMs?: number; readonly force?: boolean }): Promise<boolean>;
  keep(threadId: string, processId: string, options: { readonly keep: boolean; readonly ttlMs?: number | null }): Promise<ExecRecord>;
  /** For a journal process: everything up to `seq` is in safe hands and may leave the log. */
  acknowledge(threadId: string, processId: string, seq: number): Promise<void>;

  /** Unknown or unloaded thread: zeros. */
  detach(threadId: string, options?: { readonly processIds?: readonly string[]; readonly ttlMs?: number | null }): Promise<DetachSummary>;
  /** Throws `thread_not_loaded`. */
  reattach(threadId: string, options?: { readonly processIds?: readonly string[] }): Promise<ReattachSummary>;
  /** Ends and forgets what is detached; `finished` forgets what has ended. */
  clean(options: CleanOptions): Promise<DetachSummary>;
  gc(options?: { readonly dryRun?: boolean }): Promise<GcReport>;

  /**
   * Values of `MULTICA_EXEC_XID` that a sweep must spare (decision 17): registered processes with `keep`. `registered`: all of
   * them, for the sweep behind a crash, which is no orderly end of their thread.
   */
  spared(which?: "keep" | "registered"): ReadonlySet<string>;
  /** Living processes that use a directory below `root`: an environment with one is not removed. */
  usersOf(root: string): ExecRecord[];
  /** Called once for each process that ends. Returns the way to stop listening. */
  onEnd(listener: (end: ExecEnd) => void): () => void;
  /** Ends the service (exec-sessions.md 20.3), but for the threads that `stay`. Answers how many processes stay. */
  shutdown(mode: "keep" | "terminate" | "restart", stay?: readonly string[]): Promise<{ readonly staying: number; readonly ended: number }>;
}

/** The process of an agent under its host: what a transport is made of (decision 12). */
export interface AgentHost {
  readonly xid: string;
  readonly threadId: string;
  readonly taskId: string;
  readonly pid: number;
  /** Directory of the log. */
  readonly dir: string;
  readonly startedAtMs: number;
  /** The last record when its host was greeted: what is to be read again. */
  readonly lastSeq: number;
  /** Its command has ended. */
  readonly over: boolean;
  /** How it ended, once its log is complete, or its host was lost (both null then). */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Typed once for each id; rejects with `host_gone`. */
  write(writeId: string, data: Buffer): Promise<WriteStatus>;
  closeInput(): Promise<void>;
  /** Puts a word of the owner's into the log; never throws. */
  note(text: string): void;
  follow(afterSeq: number, signal: AbortSignal): Promise<FollowStream>;
  /** Everything up to `seq` is in safe hands and may leave the log; never throws. */
  acknowledge(seq: number): void;
  /** Ends the command and all that is its; resolves when it is over, whatever became of its host. */
  terminate(graceMs: number): Promise<void>;
  /** The text that was sealed at its start; null when the host that kept it is gone. */
  sealed(): Promise<string | null>;
  /** The host's lock passes to another process: the token to take it with, or null when the host has none. */
  passLock(to: ProcessIdentity): Promise<string | null>;
  /** Lets the host go and forgets the log: only for one whose command has ended. Never throws. */
  dismiss(): Promise<void>;
}

export interface CleanOptions {
  readonly threadId?: string;
  readonly all?: boolean;
  readonly includeAttached?: boolean;
  readonly finished?: boolean;
}

export type CreateExecService = (parts: ExecParts) => ExecService;
