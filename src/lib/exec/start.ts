import { join } from "node:path";
import { MulticaError, errorText, isMulticaError, randomHex, sha256Hex } from "../core/index.ts";
import { ensureDir, privateDirectory, processIdentity, removeFileNow, removeTree, swapUmask } from "../platform/index.ts";
import { WIRE_VERSION } from "../wire/version.ts";
import type { ExecProcessRow } from "../wire/exec-process.ts";
import type { ExecCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import { allocateId, checkThreadId, newXid } from "./ids.ts";
import { launchHost } from "./launch.ts";
import { hostLauncher } from "./launcher.ts";
import type { ProcessManager } from "./model/manager.ts";
import { type HostRequest, PROTOCOL } from "./protocol.ts";
import { chooseSocket } from "./socket-path.ts";
import { detachEntries } from "./threads.ts";
import type { ExecStart } from "./types.ts";

const HOUR_MS = 3_600_000;
export const ORPHAN_KEEP_MS = 24 * HOUR_MS;
export const ORPHAN_MS = HOUR_MS;
const RING_BYTES = 8 << 20;
const RATE = 64 << 20;
const THREAD_PROCESSES = 64;
/** The request as a whole is at most 8 MiB. */
const SEALED_MAX = 4 << 20;

export interface Started {
  readonly entry: Entry;
  readonly warning: string | null;
}

/** Starts a command under a host of its own; when it resolves the process is in exactly one place, or has ended. */
export async function startProcess(core: ExecCore, request: ExecStart): Promise<Started> {
  check(request);
  const manager = core.manager(request.threadId);
  if (manager === undefined) throw new MulticaError("thread_not_loaded", `the thread is not loaded: ${request.threadId}`, { exit: 4 });
  if (core.refusing) throw new MulticaError("shutting_down", "the daemon is ending", { exit: 7 });
  const warning = makeRoom(core, manager, request);
  const processId = allocateId(core, request.threadId, (id) => manager.reserve(id));
  await ensureDir(core.parts.stateDir);
  privateDirectory(join(core.parts.stateDir, "exec"));
  const { entry, host } = prepare(core, request, processId, () => manager.release(processId));
  try {
    const ready = await launchHost({
      request: host,
      env: core.parts.env,
      clock: core.parts.clock,
      passLock: request.passLock,
      launcher: hostLauncher(core.parts.launcher ?? "plain", core.parts.env),
      ...(core.parts.hostEntry === undefined ? {} : { entry: core.parts.hostEntry }),
    });
    const now = core.parts.clock.now();
    const [hostId, childId] = [processIdentity(ready.host_pid), processIdentity(ready.child_pid)];
    core.book.patch(entry, {
      ...{ state: "attached", host_pid: ready.host_pid, child_pid: ready.child_pid, started_at_ms: now },
      // Null: it has ended already, and nothing of that number is ours.
      ...{ host_start_key: hostId?.startKey ?? null, child_start_key: childId?.startKey ?? null, boot_id: hostId?.bootId ?? childId?.bootId ?? null },
    });
  } catch (error) {
    await failed(core, entry);
    manager.release(processId);
    throw withExit(error);
  }
  await place(core, manager, entry, request);
  return { entry, warning };
}

/** Into the manager, if its thread is still there; else parked or ended. Then the connection. */
async function place(core: ExecCore, manager: ProcessManager<Entry>, entry: Entry, request: ExecStart): Promise<void> {
  manager.store(entry);
  const loaded = core.manager(entry.threadId) === manager;
  await core.connect(entry).catch(() => core.recover(entry));
  if (entry.final) return;
  const ttl = request.ttlMs === undefined ? {} : { ttlMs: request.ttlMs };
  if (request.detach === true || (!loaded && entry.keep)) await detachEntries(core, manager, { processIds: [entry.processId], ...ttl });
  else if (!loaded) await core.terminate(entry, "shutdown");
}

function check(request: ExecStart): void {
  checkThreadId(request.threadId);
  const [name] = request.argv;
  if (name === undefined || name === "") throw new MulticaError("invalid", "no command given", { exit: 5 });
  if (request.argv.some((word) => word.includes("\0"))) throw new MulticaError("invalid", "the command line has a null character", { exit: 5 });
  if ((request.sealed ?? "").length > SEALED_MAX) throw new MulticaError("invalid", "what the host is to keep is larger than 4 MiB", { exit: 5 });
  const bytes = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
  if (bytes(request.argv) + bytes(Object.entries(request.env).flat()) > 1 << 20) {
    throw new MulticaError("invalid", "command line and environment are larger than 1 MiB", { exit: 5 });
  }
}

/** One more must fit: into the profile, and into the thread, where an old one may have to give way. */
function makeRoom(core: ExecCore, manager: ProcessManager<Entry>, request: ExecStart): string | null {
  const max = request.maxProcesses ?? THREAD_PROCESSES;
  const full = (what: string): MulticaError =>
    new MulticaError("limit", what, { exit: 7, suggestions: ["End a process with `multica exec kill`, or several with `multica exec clean`."] });
  if (manager.size >= max) {
    const candidate = manager.pruneCandidate(max <= 16 ? 4 : 8);
    if (candidate === null) throw full(`the thread has ${manager.size} processes, and none may be ended for a new one`);
    manager.remove(candidate);
    const { logger } = core.parts;
    core.terminate(candidate, "pruned").catch((error: unknown) => logger.error("a pruned process is not ended", { xid: candidate.row.xid, error: errorText(error) }));
  }
  // What was just pruned is on its way out.
  if (core.book.live().length > core.bounds.liveProcesses) throw full(`${core.bounds.liveProcesses} processes live already`);
  const count = manager.size + 1;
  return count >= max - (max <= 16 ? 2 : 4) ? `${count} of at most ${max} processes of this thread; at the limit the least recently used one is ended` : null;
}

function prepare(core: ExecCore, request: ExecStart, processId: string, release: () => void): { entry: Entry; host: HostRequest } {
  try {
    const { stateDir, env, clock, instanceId } = core.parts;
    const xid = newXid();
    const nonce = randomHex(16);
    const now = clock.now();
    const keep = request.keep === true || request.detach === true;
    const row = newRow(request, {
      ...{ xid, process_id: processId, keep, created_at_ms: now, nonce_hash: sha256Hex(nonce) },
      dir: join(stateDir, "exec", xid),
      socket: chooseSocket(stateDir, env, xid),
      generation: (core.book.find(request.threadId, processId)?.generation ?? 0) + 1,
    });
    const umask = swapUmask(0o077);
    swapUmask(umask);
    const owner = { kind: row.owner_kind, task_id: row.task_id, agent_id: row.agent_id, issue_id: row.issue_id, env_root: row.env_root };
    const host: HostRequest = {
      ...{ v: PROTOCOL, xid, dir: row.dir, socket: row.socket, token: randomHex(32), nonce, instance_id: instanceId },
      ...{ thread_id: row.thread_id, process_id: processId, generation: row.generation, argv: request.argv, cwd: request.cwd, env: request.env },
      ...{ tty: row.tty === 1, cols: row.cols, rows: row.rows, stdin: row.stdin, keep, umask, version: WIRE_VERSION, label: row.label, owner, created_at_ms: now },
      ...{ leave_children: request.leaveChildren ?? false, journal: request.journal ?? false },
      limits: limitsOf(request, keep),
      ...(request.sealed === undefined ? {} : { sealed: request.sealed }),
    };
    return { entry: core.book.insert(row), host };
  } catch (error) {
    release();
    throw error;
  }
}

function limitsOf(request: ExecStart, keep: boolean): HostRequest["limits"] {
  const { limits = {} } = request;
  return {
    ring_bytes: Math.min(1 << 30, Math.max(1 << 20, limits.ringBytes ?? RING_BYTES)),
    max_bytes: limits.maxBytes ?? 0,
    rate: limits.rate ?? RATE,
    // Counts from the moment it is detached: the daemon tells the host then.
    ttl_ms: 0,
    orphan_ms: limits.orphanMs ?? (keep ? ORPHAN_KEEP_MS : ORPHAN_MS),
  };
}

type Given = Pick<ExecProcessRow, "xid" | "process_id" | "created_at_ms" | "nonce_hash" | "dir" | "socket" | "generation"> & { readonly keep: boolean };

function newRow(request: ExecStart, given: Given): ExecProcessRow {
  const { owner } = request;
  const tty = request.tty === true;
  return {
    ...given,
    ...{ thread_id: request.threadId, state: "starting", keep: given.keep ? 1 : 0, expires_at_ms: null, argv: JSON.stringify(request.argv), cwd: request.cwd },
    ...{ tty: tty ? 1 : 0, stdin: tty ? "tty" : (request.stdin ?? "none"), cols: request.cols ?? 80, rows: request.rows ?? 24, label: request.label ?? null },
    ...{ owner_kind: owner.kind, task_id: owner.taskId ?? null, agent_id: owner.agentId ?? null, issue_id: owner.issueId ?? null, env_root: owner.envRoot ?? null },
    ...{ host_pid: null, host_start_key: null, boot_id: null, child_pid: null, child_start_key: null, proto: PROTOCOL, poll_seq: 0 },
    ...{ last_used_ms: given.created_at_ms, started_at_ms: null, detached_at_ms: null, exited_at_ms: null, exit_code: null, signal: null, reason: null },
    ...{ last_seq: 0, total_bytes: 0, dropped_bytes: 0 },
  };
}

async function failed(core: ExecCore, entry: Entry): Promise<void> {
  core.book.patch(entry, { state: "failed", reason: "spawn_error", exited_at_ms: core.parts.clock.now() });
  entry.finish();
  removeFileNow(entry.row.socket);
  await removeTree(entry.row.dir);
}

const VALIDATION = ["cwd_not_found", "command_not_found", "not_executable", "invalid", "tty_unavailable"];

function withExit(error: unknown): unknown {
  if (!isMulticaError(error) || !VALIDATION.includes(error.code)) return error;
  return new MulticaError(error.code, error.message, { exit: 5, cause: error, suggestions: error.suggestions });
}
