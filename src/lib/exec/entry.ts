import { MulticaError } from "../core/index.ts";
import type { ExecProcessPatch, ExecProcessRow } from "../wire/exec-process.ts";
import type { HostClient } from "./client.ts";
import type { LogCursor } from "./log/reader.ts";
import type { Parked } from "./model/detached.ts";
import type { ExecJournal, ExecRecord } from "./types.ts";

const FINAL = ["exited", "lost", "failed"];

/** One known process: its row, and while it lives the connection to its host. */
export class Entry implements Parked {
  row: ExecProcessRow;
  client: HostClient | null = null;
  adopted = false;
  degraded = false;
  /** Its end was handed over by a read: the id means nothing any more. */
  delivered = false;
  /** Another daemon owns the host now. */
  displaced = false;
  /** Bytes of output before `row.poll_seq`, null when unknown. */
  pollBytes: number | null = null;
  /** Bytes of a character that was not complete at the last committed read. */
  carry: Buffer = Buffer.alloc(0);
  /** What ends with the thread's hold on it: streams that the thread's token opened, deliveries to its task. */
  readonly links = new Set<() => void>();
  readonly finished: Promise<void>;
  readonly finish: () => void;

  constructor(row: ExecProcessRow) {
    this.row = row;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.finish = resolve;
    if (row.poll_seq === 0) this.pollBytes = 0;
    if (this.final) resolve();
  }

  get threadId(): string {
    return this.row.thread_id;
  }
  get processId(): string {
    return this.row.process_id;
  }
  get generation(): number {
    return this.row.generation;
  }
  get lastUsedMs(): number {
    return this.row.last_used_ms;
  }
  get keep(): boolean {
    return this.row.keep === 1;
  }
  get final(): boolean {
    return FINAL.includes(this.row.state);
  }
  get exited(): boolean {
    return this.final;
  }
  get cursor(): LogCursor {
    return { seq: this.row.poll_seq, bytes: this.pollBytes };
  }

  cutLinks(): void {
    for (const cut of this.links) cut();
    this.links.clear();
  }

  /** The connection; throws `host_gone` when there is none just now. */
  host(): HostClient {
    if (this.displaced) throw new MulticaError("displaced", "another daemon owns this process now");
    if (this.client === null) throw new MulticaError("host_gone", "the process's host does not answer", { retry: "later" });
    return this.client;
  }

  record(): ExecRecord {
    const { row } = this;
    const argv = JSON.parse(row.argv) as string[];
    const { thread_id, process_id, generation, state, cwd, label, exit_code, signal, reason, last_seq, total_bytes, dropped_bytes } = row;
    return {
      ...{ thread_id, process_id, generation, state, cwd, label, exit_code, signal, reason, last_seq, total_bytes, dropped_bytes },
      command: argv.join(" "),
      argv,
      tty: row.tty === 1,
      keep: row.keep === 1,
      pid: row.child_pid,
      started_at: iso(row.started_at_ms),
      detached_at: iso(row.detached_at_ms),
      expires_at: iso(row.expires_at_ms),
      exited_at: iso(row.exited_at_ms),
      task_id: row.task_id,
      issue_id: row.issue_id,
      env_root: row.env_root,
      dir: row.dir,
      adopted: this.adopted,
      degraded: this.degraded,
    };
  }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** All known processes: the rows in memory, written through to the journal when there is one. */
export class Book {
  readonly #entries = new Map<string, Entry>();
  readonly #journal: ExecJournal | null;

  constructor(journal: ExecJournal | null) {
    this.#journal = journal;
    for (const row of journal?.list() ?? []) this.#entries.set(row.xid, new Entry(row));
  }

  all(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  }

  live(): Entry[] {
    return [...this.#entries.values()].filter((entry) => !entry.final);
  }

  byXid(xid: string): Entry | undefined {
    return this.#entries.get(xid);
  }

  /** The latest process under an id. */
  find(threadId: string, processId: string): Entry | undefined {
    return this.generations(threadId, processId).at(-1);
  }

  generations(threadId: string, processId: string): Entry[] {
    const same = [...this.#entries.values()].filter((entry) => entry.threadId === threadId && entry.processId === processId);
    return same.sort((a, b) => a.generation - b.generation);
  }

  insert(row: ExecProcessRow): Entry {
    this.#journal?.insert(row);
    const entry = new Entry(row);
    this.#entries.set(row.xid, entry);
    return entry;
  }

  patch(entry: Entry, patch: ExecProcessPatch): void {
    this.#journal?.update(entry.row.xid, patch);
    entry.row = { ...entry.row, ...patch };
  }

  /** One transaction; when it fails nothing has changed. */
  patchAll(patches: readonly { readonly entry: Entry; readonly patch: ExecProcessPatch }[]): void {
    if (patches.length === 0) return;
    this.#journal?.updateAll(patches.map(({ entry, patch }) => ({ xid: entry.row.xid, patch })));
    for (const { entry, patch } of patches) entry.row = { ...entry.row, ...patch };
  }

  forget(entry: Entry): void {
    this.#journal?.remove(entry.row.xid);
    this.#entries.delete(entry.row.xid);
  }
}

function sortKey(entry: Entry): string {
  return `${entry.threadId}\0${entry.processId}\0${String(entry.generation).padStart(6, "0")}`;
}
