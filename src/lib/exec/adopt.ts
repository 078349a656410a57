import { join } from "node:path";
import { readdirSync } from "node:fs";
import { errorText, isMulticaError, systemCode } from "../core/index.ts";
import { identityAlive, processIdentity, removeTree, terminateTree } from "../platform/index.ts";
import type { ExecProcessRow } from "../wire/exec-process.ts";
import type { ExecCore } from "./core.ts";
import { identity } from "./core.ts";
import type { Entry } from "./entry.ts";
import { readExit, readMeta } from "./files.ts";
import { isAgentThread } from "./agent-thread.ts";
import { isXid } from "./ids.ts";
import { type HostMeta, MARKER } from "./protocol.ts";
import { tell } from "./threads.ts";

const AT_ONCE = 8;
const STARTING_MS = 10_000;
const POLL_MS = 50;

export interface Adoption {
  readonly adopted: number;
  readonly exited: number;
  readonly lost: number;
}

/** Takes over what earlier daemons started (exec-sessions.md 20.1): every record that is not final, several at a time. */
export async function adoptAll(core: ExecCore): Promise<Adoption> {
  if (core.parts.journal === null) for (const xid of hostDirectories(core)) recreate(core, xid);
  for (const entry of core.book.all()) if (entry.final && isAgentThread(entry.threadId)) await greetWaiting(core, entry);
  const queue = core.book.live().filter((entry) => entry.client === null);
  const entries = [...queue];
  const worker = async (): Promise<void> => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      await adoptOne(core, entry).catch((error: unknown) => core.parts.logger.error("a process is not adopted", { error: errorText(error) }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const count = (state: string): number => entries.filter((entry) => entry.row.state === state).length;
  const result = { adopted: entries.filter((entry) => entry.adopted && !entry.final).length, exited: count("exited"), lost: count("lost") };
  const gone = entries.filter((entry) => entry.row.reason === "host_lost").length;
  if (gone > 1 && gone === entries.length) {
    core.parts.logger.warn("every process of the earlier daemon is gone; a service manager may have ended its whole group", {
      processes: gone,
      hint: "systemd: KillMode=process; launchd: AbandonProcessGroup",
    });
  }
  return result;
}

/** The host of an agent that ended under an earlier daemon waits for whoever goes on with the task. */
async function greetWaiting(core: ExecCore, entry: Entry): Promise<void> {
  if (!core.hostAlive(entry)) return;
  await core.connect(entry).catch((error: unknown) => core.parts.logger.warn("an agent's host does not answer", { xid: entry.row.xid, error: errorText(error) }));
}

async function adoptOne(core: ExecCore, entry: Entry): Promise<void> {
  const boot = processIdentity(process.pid)?.bootId;
  if (entry.row.boot_id !== null && boot !== undefined && entry.row.boot_id !== boot) return core.markLost(entry, "reboot");
  if (entry.row.state === "starting" && !(await startedMeanwhile(core, entry))) return;
  await core.recover(entry);
  if (entry.final || entry.client === null) return;
  entry.adopted = true;
  settle(core, entry);
}

/** Into the store, or to a thread that is always loaded: an operator's, an agent's. */
export function settle(core: ExecCore, entry: Entry): void {
  const now = core.parts.clock.now();
  if (isAgentThread(entry.threadId) || (entry.threadId.startsWith("op:") && entry.row.state !== "detached")) {
    core.load(entry.threadId).store(entry);
    core.book.patch(entry, { state: "attached" });
    return;
  }
  // A crash is no orderly end of the thread: somebody may come back.
  const expires = entry.keep ? (entry.row.expires_at_ms ?? null) : now + core.bounds.crashTtlMs;
  const already = entry.row.state === "detached";
  const replaced = core.detached.park([entry]);
  if (!already) {
    const expiresAt = entry.keep && expires === null ? now + core.bounds.detachedTtlMs : expires;
    core.book.patch(entry, { state: "detached", detached_at_ms: now, expires_at_ms: expiresAt });
    tell(core, entry, { expires_at_ms: expiresAt });
  }
  for (const older of replaced) void core.terminate(older, "replaced");
}

/** A daemon died while it started this: true when a command runs or ran, else the record is failed and nothing is left. */
async function startedMeanwhile(core: ExecCore, entry: Entry): Promise<boolean> {
  const { clock } = core.parts;
  const limit = clock.monotonic() + STARTING_MS;
  for (;;) {
    const meta = readMeta(entry.row.dir);
    const host = meta === null ? null : identity(meta.host_pid, meta.host_start_key, meta.boot_id);
    const alive = host !== null && identityAlive(host);
    if (meta !== null && meta.child_pid !== null && (alive || readExit(entry.row.dir) !== null)) {
      core.book.patch(entry, fromMeta(meta));
      return true;
    }
    // No sign of a host for a while, or one that died before its command: over.
    if (clock.monotonic() >= limit || (meta !== null && !alive) || (meta === null && clock.monotonic() >= limit - STARTING_MS + 2000)) break;
    await clock.sleep(POLL_MS);
  }
  await terminateTree({ marker: { name: MARKER, value: entry.row.xid }, graceMs: core.bounds.graceMs, clock });
  await removeTree(entry.row.dir);
  core.book.patch(entry, { state: "failed", reason: "spawn_error", exited_at_ms: clock.now() });
  entry.finish();
  return false;
}

function fromMeta(meta: HostMeta): Partial<ExecProcessRow> {
  const { host_pid, host_start_key, boot_id, child_pid, child_start_key, started_at_ms } = meta;
  return { host_pid, host_start_key, boot_id, child_pid, child_start_key, started_at_ms, state: "attached" };
}

/** Names of hosts' directories. */
export function hostDirectories(core: ExecCore): string[] {
  try {
    return readdirSync(join(core.parts.stateDir, "exec")).filter(isXid);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** A record from the host's own file, for a database that was lost; null when it is not ours or says nothing. */
export function recreate(core: ExecCore, xid: string): Entry | null {
  const known = core.book.byXid(xid);
  if (known !== undefined) return null;
  const dir = join(core.parts.stateDir, "exec", xid);
  const meta = readMeta(dir);
  if (meta === null || meta.xid !== xid || meta.instance_id !== core.parts.instanceId) return null;
  try {
    return core.book.insert(rowOf(meta, dir));
  } catch (error) {
    if (isMulticaError(error)) core.parts.logger.warn("a process cannot be registered again", { xid, error: errorText(error) });
    return null;
  }
}

function rowOf(meta: HostMeta, dir: string): ExecProcessRow {
  const { thread_id, process_id, generation, xid, cwd, stdin, cols, rows, label, owner, socket, proto, nonce_hash, created_at_ms, expires_at_ms } = meta;
  return {
    ...{ thread_id, process_id, generation, xid, cwd, stdin, cols, rows, label, dir, socket, proto, nonce_hash, created_at_ms, expires_at_ms },
    ...{ state: "attached" as const, keep: meta.keep ? (1 as const) : (0 as const), argv: JSON.stringify(meta.argv), tty: meta.tty ? (1 as const) : (0 as const) },
    ...{ owner_kind: owner.kind, task_id: owner.task_id, agent_id: owner.agent_id, issue_id: owner.issue_id, env_root: owner.env_root },
    ...{ host_pid: meta.host_pid, host_start_key: meta.host_start_key, boot_id: meta.boot_id, child_pid: meta.child_pid, child_start_key: meta.child_start_key },
    ...{ started_at_ms: meta.started_at_ms, poll_seq: 0, last_used_ms: created_at_ms, detached_at_ms: null, exited_at_ms: null },
    ...{ exit_code: null, signal: null, reason: null, last_seq: 0, total_bytes: 0, dropped_bytes: 0 },
  };
}
