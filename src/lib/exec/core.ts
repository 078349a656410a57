import { MulticaError, errorText, isMulticaError } from "../core/index.ts";
import { type ProcessIdentity, identityAlive, processIdentity, removeFileNow, terminateTree } from "../platform/index.ts";
import type { ExecReason } from "../wire/exec-process.ts";
import { type HostEvent, connectHost } from "./client.ts";
import { Book, type Entry } from "./entry.ts";
import { readExit, readToken } from "./files.ts";
import { isAgentThread } from "./agent-thread.ts";
import { readWholeOutput } from "./reading.ts";
import { DetachedStore } from "./model/detached.ts";
import { ProcessManager } from "./model/manager.ts";
import { type HostExit, MARKER } from "./protocol.ts";
import type { ExecBounds, ExecEnd, ExecParts } from "./types.ts";

const CONNECT_MS = 5000;
const RETRY_MS = 200;
const GRACE_MS = 5000;

const HOUR_MS = 3_600_000;
const BOUNDS: ExecBounds = {
  liveProcesses: 128,
  detachedTtlMs: 24 * HOUR_MS,
  crashTtlMs: HOUR_MS,
  retentionMs: 7 * 24 * HOUR_MS,
  finishedRecords: 500,
  graceMs: GRACE_MS,
};

/** What all parts of the service share: the book, the two places a process can be in, and how a process ends. */
export class ExecCore {
  readonly parts: ExecParts;
  readonly bounds: ExecBounds;
  readonly book: Book;
  readonly detached = new DetachedStore<Entry>();
  readonly #managers = new Map<string, ProcessManager<Entry>>();
  readonly #listeners = new Set<(end: ExecEnd) => void>();
  readonly #losing = new Map<Entry, Promise<void>>();
  /** Nothing new is started. */
  refusing = false;
  /** Connections end because we end: no host is lost. */
  closing = false;

  constructor(parts: ExecParts) {
    this.parts = parts;
    this.bounds = { ...BOUNDS, ...parts.bounds };
    this.book = new Book(parts.journal);
  }

  /** The manager of a loaded thread. Threads of operators and agents are always loaded. */
  manager(threadId: string): ProcessManager<Entry> | undefined {
    if (threadId.startsWith("op:") || isAgentThread(threadId)) return this.load(threadId);
    return this.#managers.get(threadId);
  }

  load(threadId: string): ProcessManager<Entry> {
    const manager = this.#managers.get(threadId) ?? new ProcessManager<Entry>();
    this.#managers.set(threadId, manager);
    return manager;
  }

  unload(threadId: string): void {
    this.#managers.delete(threadId);
  }

  threads(): string[] {
    return [...this.#managers.keys()];
  }

  listen(listener: (end: ExecEnd) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Connects as owner and watches the process from then on. Throws what `connectHost` throws. */
  async connect(entry: Entry, timeoutMs = CONNECT_MS): Promise<void> {
    const { row } = entry;
    const { clock, epoch, instanceId } = this.parts;
    const token = readToken(row.dir);
    if (token === null) throw new MulticaError("host_gone", "the host's token is gone");
    const client = await connectHost({
      ...{ socket: row.socket, token, role: "owner" as const, epoch, instanceId, nonceHash: row.nonce_hash, clock, timeoutMs },
      onEvent: (event) => this.#event(entry, event),
    });
    const { status } = client;
    if (status.thread_id !== row.thread_id || status.process_id !== row.process_id || status.generation !== row.generation) {
      client.close();
      throw new MulticaError("foreign_host", "the host runs another process");
    }
    entry.client = client;
    entry.degraded = status.degraded;
    void client.closed.then(() => this.#disconnected(entry, client));
    if (status.exit !== undefined) this.#closed(entry, status.exit);
  }

  /** Ends a process by its host and waits for it; by identity when the host does not do it. False: it had ended. */
  async terminate(entry: Entry, reason: ExecReason, options: { graceMs?: number; force?: boolean } = {}): Promise<boolean> {
    if (entry.final) return false;
    const graceMs = options.graceMs ?? this.bounds.graceMs;
    const { clock } = this.parts;
    try {
      await entry.host().request("terminate", { grace_ms: graceMs, reason, force: options.force ?? false });
      // Grace, what it takes to see the end of everything, the drain and the sweep.
      await Promise.race([entry.finished, clock.sleep(graceMs + 12_000)]);
    } catch (error) {
      if (!isMulticaError(error)) throw error;
    }
    if (!entry.final) await this.lose(entry, reason);
    return true;
  }

  /** The host is gone, or does not do its work: ends what is left by identity and writes down how it ended (20.2). */
  lose(entry: Entry, reason: ExecReason): Promise<void> {
    const running = this.#losing.get(entry);
    if (running !== undefined) return running;
    const work = this.#lose(entry, reason).finally(() => this.#losing.delete(entry));
    this.#losing.set(entry, work);
    return work;
  }

  /** Written by the host when its log was closed: the process ended in order. */
  finish(entry: Entry, exit: HostExit): void {
    if (entry.final) return;
    const { exit_code, signal, started_at_ms, exited_at_ms, last_seq, total_bytes, dropped_bytes } = exit;
    this.#end(entry, {
      ...{ state: "exited" as const, exit_code, signal, started_at_ms, exited_at_ms, last_seq, total_bytes, dropped_bytes },
      reason: exit.reason as ExecReason,
    });
  }

  /** Nothing was signalled and nothing will be: another boot, or nothing of it lives. */
  markLost(entry: Entry, reason: ExecReason): void {
    if (!entry.final) this.#end(entry, { state: "lost", reason, exit_code: null, exited_at_ms: this.parts.clock.now() });
  }

  #end(entry: Entry, patch: Parameters<Book["patch"]>[1]): void {
    const { logger } = this.parts;
    try {
      this.book.patch(entry, patch);
    } catch (error) {
      logger.error("the end of a process is not written down", { xid: entry.row.xid, error: errorText(error) });
      entry.row = { ...entry.row, ...patch };
    }
    this.manager(entry.threadId)?.remove(entry);
    this.detached.remove(entry);
    entry.links.clear();
    const { row } = entry;
    const output = this.#listeners.size === 0 || isAgentThread(entry.threadId) ? "" : readWholeOutput(row.dir);
    const durationMs = Math.max(0, (row.exited_at_ms ?? this.parts.clock.now()) - (row.started_at_ms ?? row.created_at_ms));
    const end: ExecEnd = { threadId: row.thread_id, processId: row.process_id, record: entry.record(), exitCode: row.exit_code ?? -1, output, durationMs };
    entry.finish();
    for (const listener of this.#listeners) listener(end);
  }

  #event(entry: Entry, event: HostEvent): void {
    if (event.ev === "degraded") entry.degraded = event.status.degraded;
    if (event.ev === "closed" && event.status.exit !== undefined) this.#closed(entry, event.status.exit);
    if (event.ev !== "displaced") return;
    entry.displaced = true;
    this.parts.logger.warn("another daemon has taken a process over", { thread: entry.threadId, process: entry.processId });
  }

  #closed(entry: Entry, exit: HostExit): void {
    const { client } = entry;
    this.finish(entry, exit);
    // An agent's host is let go by the task, when everything that came of it is in safe hands.
    if (!isAgentThread(entry.threadId)) void client?.request("bye", { acked_seq: exit.last_seq }).catch(() => undefined);
  }

  #disconnected(entry: Entry, client: unknown): void {
    if (entry.client === client) entry.client = null;
    if (entry.final || entry.displaced || this.closing) return;
    void this.recover(entry).catch((error: unknown) => this.parts.logger.error("a lost process is not cleared", { xid: entry.row.xid, error: errorText(error) }));
  }

  /** The connection is gone without an end: the host may have ended in order, may live, or may have been killed. */
  async recover(entry: Entry): Promise<void> {
    const { clock } = this.parts;
    const limit = clock.monotonic() + CONNECT_MS;
    for (;;) {
      const exit = readExit(entry.row.dir);
      // The host of an agent that has ended waits for its owner: it keeps what the files do not.
      if (exit !== null && !(isAgentThread(entry.threadId) && this.hostAlive(entry))) return this.finish(entry, exit);
      if (!this.hostAlive(entry)) break;
      const failure = await this.connect(entry).then(() => null, (error: unknown) => error);
      if (failure === null) return;
      if (isMulticaError(failure, "stale_epoch")) {
        entry.displaced = true;
        return;
      }
      if (clock.monotonic() >= limit) {
        if (exit !== null) return this.finish(entry, exit);
        break;
      }
      await clock.sleep(RETRY_MS);
    }
    await this.lose(entry, "host_lost");
  }

  hostAlive(entry: Entry): boolean {
    const host = identity(entry.row.host_pid, entry.row.host_start_key, entry.row.boot_id);
    return host !== null && identityAlive(host);
  }

  async #lose(entry: Entry, reason: ExecReason): Promise<void> {
    const { row } = entry;
    const { clock, logger } = this.parts;
    entry.client?.close();
    entry.client = null;
    const host = identity(row.host_pid, row.host_start_key, row.boot_id);
    // Asked politely first: a host ends its command with it, and knows it best.
    if (host !== null && identityAlive(host)) await terminateTree({ pid: host.pid, startKey: host.startKey, graceMs: this.bounds.graceMs + 3000, clock });
    const exit = readExit(row.dir);
    if (exit !== null) return this.finish(entry, exit);
    if (row.boot_id !== null && row.boot_id !== (processIdentity(process.pid)?.bootId ?? row.boot_id)) return this.markLost(entry, "reboot");
    const child = identity(row.child_pid, row.child_start_key, row.boot_id);
    const result = await terminateTree({
      ...(child === null ? {} : { pid: child.pid, startKey: child.startKey }),
      marker: { name: MARKER, value: row.xid },
      gentle: ["SIGHUP", "SIGCONT", "SIGTERM"],
      graceMs: this.bounds.graceMs,
      clock,
    });
    if (!result.gone) logger.error("processes of a lost command do not end", { xid: row.xid, survivors: result.survivors });
    removeFileNow(row.socket);
    this.markLost(entry, reason === "host_lost" ? "host_lost" : reason);
  }
}

export function identity(pid: number | null, startKey: string | null, bootId: string | null): ProcessIdentity | null {
  return pid === null || startKey === null || bootId === null ? null : { pid, startKey, bootId };
}
