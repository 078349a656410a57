import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isMulticaError, systemCode } from "../core/index.ts";
import { type Clock, identityAlive, isInside } from "../platform/index.ts";
import type { ExecState } from "../wire/exec-process.ts";
import { connectHost } from "./client.ts";
import { readExit, readMeta, readToken } from "./files.ts";
import { isAgentThread } from "./agent-thread.ts";
import { LogReader } from "./log/reader.ts";
import { type HostMeta, fromWire } from "./protocol.ts";
import type { LogEvent } from "./types.ts";

const CONNECT_MS = 5000;
const END_MS = 12_000;
const POLL_MS = 20;

/** A process as its directory tells of it, without a daemon. */
export interface RecordedProcess {
  readonly thread_id: string;
  readonly process_id: string;
  readonly generation: number;
  readonly state: ExecState;
  readonly dir: string;
  readonly meta: HostMeta;
}

/** What lies below `<state dir>/exec`: for commands that must work while no daemon runs. */
export function recordedProcesses(stateDir: string): RecordedProcess[] {
  const root = join(stateDir, "exec");
  return entriesOf(root).flatMap((name) => {
    const dir = join(root, name);
    const meta = readMeta(dir);
    if (meta === null) return [];
    const { thread_id, process_id, generation } = meta;
    return [{ thread_id, process_id, generation, state: readExit(dir) === null ? ("attached" as const) : ("exited" as const), dir, meta }];
  });
}

/** Living commands that work below `root` or belong to it: an environment with one is not removed (exec-sessions.md 20.4). */
export function recordedUsers(processes: readonly RecordedProcess[], root: string): RecordedProcess[] {
  return processes.filter(({ state, meta }) => {
    const { child_pid: pid, child_start_key: startKey, boot_id: bootId, cwd, owner } = meta;
    if (state !== "attached" || pid === null || startKey === null || !identityAlive({ pid, startKey, bootId })) return false;
    return isInside(root, cwd) || (owner.env_root !== null && isInside(root, owner.env_root));
  });
}

/**
 * Ends living commands through their hosts, with or without a daemon; whoever owns them learns it from the host. Agents are
 * left alone: a task works there. Resolves when none lives, or after grace and 12 s more: what lives then is answered.
 */
export async function endRecorded(users: readonly RecordedProcess[], parts: { readonly clock: Clock; readonly graceMs: number }): Promise<RecordedProcess[]> {
  const ends = users.map(async (user) => {
    if (isAgentThread(user.thread_id)) return [user];
    await askToEnd(user, parts).catch((error: unknown) => {
      if (!isMulticaError(error)) throw error;
    });
    const limit = parts.clock.monotonic() + parts.graceMs + END_MS;
    while (readExit(user.dir) === null && parts.clock.monotonic() < limit) await parts.clock.sleep(POLL_MS);
    return readExit(user.dir) === null ? [user] : [];
  });
  return (await Promise.all(ends)).flat();
}

async function askToEnd({ meta, dir }: RecordedProcess, { clock, graceMs }: { readonly clock: Clock; readonly graceMs: number }): Promise<void> {
  const client = await connectHost({
    ...{ socket: meta.socket, token: readToken(dir) ?? "", role: "viewer", epoch: 0, instanceId: meta.instance_id, nonceHash: meta.nonce_hash, clock, timeoutMs: CONNECT_MS },
  });
  try {
    await client.request("terminate", { grace_ms: graceMs, reason: "terminated" });
  } finally {
    client.close();
  }
}

function entriesOf(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

const READ_BYTES = 256 * 1024;

/** The records in a directory from a position on, up to where they end now. */
export function* recordedLog(dir: string, afterSeq: number): Generator<LogEvent> {
  const reader = new LogReader(dir, { seq: afterSeq, bytes: afterSeq === 0 ? 0 : null });
  try {
    for (let events = reader.next(READ_BYTES); events.length > 0; events = reader.next(READ_BYTES)) yield* events;
  } finally {
    reader.close();
  }
}

const WAIT_MS = 60_000;

/** The same, and what follows: asked of the host itself as a viewer, until the process is closed or nobody answers. */
export async function* followRecorded(process: RecordedProcess, afterSeq: number, parts: { readonly clock: Clock; readonly signal: AbortSignal }): AsyncGenerator<LogEvent> {
  const { meta, dir } = process;
  const { clock, signal } = parts;
  let seen = afterSeq;
  try {
    const client = await connectHost({
      ...{ socket: meta.socket, token: readToken(dir) ?? "", role: "viewer", epoch: 0, instanceId: meta.instance_id, nonceHash: meta.nonce_hash, clock, timeoutMs: CONNECT_MS },
    });
    signal.addEventListener("abort", () => client.close(), { once: true });
    try {
      for (let open = true; open && !signal.aborted; ) {
        const reply = await client.read({ after_seq: seen, after_bytes: seen === 0 ? 0 : null, max_bytes: READ_BYTES, wait_ms: WAIT_MS });
        for (const event of reply.events) yield fromWire(event);
        seen = reply.next_seq;
        open = !reply.closed || reply.more;
      }
    } finally {
      client.close();
    }
  } catch (error) {
    if (!isMulticaError(error)) throw error;
  }
  // The host has gone, or never answered: its files have the rest.
  if (!signal.aborted) yield* recordedLog(dir, seen);
}
