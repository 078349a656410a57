import type { LogEvent, LogKind, SignalName } from "./types.ts";

/** Version of the host protocol (exec-sessions.md 17). A host keeps the one it was started with. */
export const PROTOCOL = 1;
export const LINE_MAX = 256 * 1024;
/** Raw bytes of one write request: as base64 it fits into a line. */
export const WRITE_PIECE = 96 * 1024;
/** Raw bytes of events in one reply. */
export const READ_MAX = 128 * 1024;
/** Longest record of output. */
export const RECORD_BYTES = 64 * 1024;
/** What every process of a command bears: the marker its end is swept by (decision 17). */
export const MARKER = "MULTICA_EXEC_XID";

/** What the daemon tells a new host on its stdin: one line of JSON (exec-sessions.md 16.1). Secrets travel only here. */
export interface HostRequest {
  readonly v: number;
  readonly xid: string;
  readonly dir: string;
  readonly socket: string;
  readonly token: string;
  readonly nonce: string;
  readonly instance_id: string;
  readonly thread_id: string;
  readonly process_id: string;
  readonly generation: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly tty: boolean;
  readonly cols: number;
  readonly rows: number;
  readonly stdin: "none" | "pipe" | "tty";
  readonly keep: boolean;
  readonly leave_children: boolean;
  readonly journal: boolean;
  readonly umask: number;
  /** Of the program that starts the host. */
  readonly version: string;
  readonly label: string | null;
  readonly owner: HostOwner;
  readonly created_at_ms: number;
  readonly limits: HostLimits;
  /** Kept in the host's memory only, for the owner that takes it over. */
  readonly sealed?: string;
  /** A lock that was passed to the host, which holds it until it passes it on or ends. */
  readonly lock?: { readonly path: string; readonly token: string };
}

export interface HostOwner {
  readonly kind: "task" | "operator";
  readonly task_id: string | null;
  readonly agent_id: string | null;
  readonly issue_id: string | null;
  readonly env_root: string | null;
}

export interface HostLimits {
  readonly ring_bytes: number;
  readonly max_bytes: number;
  readonly rate: number;
  /** After the start; 0 = none. */
  readonly ttl_ms: number;
  /** Without an owner; 0 = none. */
  readonly orphan_ms: number;
}

/** `meta.json`: the request without environment and token, and who host and command are. */
export interface HostMeta extends Omit<HostRequest, "env" | "token" | "nonce" | "sealed" | "lock"> {
  readonly nonce_hash: string;
  readonly proto: number;
  readonly boot_id: string;
  readonly host_pid: number;
  readonly host_start_key: string;
  readonly child_pid: number | null;
  readonly child_start_key: string | null;
  readonly started_at_ms: number | null;
  readonly expires_at_ms: number | null;
}

/** `exit.json`: written once, when the log is closed. */
export interface HostExit {
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly reason: string;
  readonly started_at_ms: number;
  readonly exited_at_ms: number;
  readonly closed_at_ms: number;
  readonly last_seq: number;
  readonly total_bytes: number;
  readonly dropped_bytes: number;
}

/** The one line a host prints. */
export type HostReady =
  | { readonly ready: true; readonly host_pid: number; readonly child_pid: number; readonly socket: string; readonly proto: number }
  | { readonly ready: false; readonly code: string; readonly message: string };

export interface HostStatus {
  readonly v: number;
  readonly xid: string;
  readonly nonce: string;
  readonly thread_id: string;
  readonly process_id: string;
  readonly generation: number;
  readonly host_pid: number;
  readonly child_pid: number;
  readonly state: "running" | "exited" | "closed";
  readonly last_seq: number;
  readonly first_seqs: readonly number[];
  readonly total_bytes: number;
  readonly dropped_bytes: number;
  readonly degraded: boolean;
  readonly exit?: HostExit;
}

/** A record of the log on the wire; `data` is base64. */
export interface WireEvent {
  readonly seq: number;
  readonly t: number;
  readonly kind: LogKind;
  readonly data?: string;
  readonly gap?: { readonly first: number; readonly last: number; readonly bytes: number };
  readonly size?: { readonly cols: number; readonly rows: number };
  readonly exit?: { readonly code: number | null; readonly signal: string | null };
  readonly text?: string;
}

export interface HostReadReply {
  readonly events: readonly WireEvent[];
  readonly next_seq: number;
  readonly next_bytes: number | null;
  readonly exited: boolean;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly closed: boolean;
  readonly more: boolean;
  readonly last_seq: number;
  readonly total_bytes: number;
  readonly dropped_bytes: number;
}

export const SIGNALS: readonly SignalName[] = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL", "STOP", "CONT"];

export function toWire(event: LogEvent): WireEvent {
  const { timeMs, data, ...rest } = event;
  return { ...rest, t: timeMs, ...(data === undefined ? {} : { data: data.toString("base64") }) };
}

export function fromWire(event: WireEvent): LogEvent {
  const { t, data, ...rest } = event;
  return { ...rest, timeMs: t, ...(data === undefined ? {} : { data: Buffer.from(data, "base64") }) };
}
