import { join } from "node:path";
import { MulticaError } from "../../core/index.ts";
import { type Clock, groupAlive, processIdentity, sendSignal, writeFileNow } from "../../platform/index.ts";
import { LogWriter } from "../log/writer.ts";
import type { HostExit, HostMeta, HostRequest, HostStatus } from "../protocol.ts";
import type { SignalName, WriteStatus } from "../types.ts";
import { type Command, type CommandExit, endTree } from "./command.ts";
import { OutputPipe } from "./output.ts";

const SILENCE_MS = 100;
const DRAIN_MS = 2000;
const REST_GRACE_MS = 2000;
const RETRY_DISK_MS = 5000;
const REMEMBERED_WRITES = 256;
const QUEUE_MAX = 4 << 20;
const PTY_PAUSE_MS = 50;

export interface SessionEvents {
  /** New records in the log. */
  onRecord(): void;
  onEvent(event: "exited" | "closed" | "degraded"): void;
}

/** One command and its log: everything a host does but the socket. */
export class HostSession {
  readonly request: HostRequest;
  readonly log: LogWriter;
  readonly #clock: Clock;
  readonly #events: SessionEvents;
  #meta: HostMeta;
  #command: Command | null = null;
  #startKey = "";
  #startedMs = 0;
  #output: OutputPipe | null = null;
  #exit: CommandExit | null = null;
  #exitedMs = 0;
  #result: HostExit | null = null;
  #reason: string | null = null;
  #ending: Promise<unknown> = Promise.resolve();
  #writes = new Set<string>();
  #inputClosed = false;
  #stopRetry: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;
  readonly closed: Promise<HostExit>;
  readonly #resolveClosed: (exit: HostExit) => void;

  constructor(request: HostRequest, meta: HostMeta, clock: Clock, events: SessionEvents) {
    this.request = request;
    this.#meta = meta;
    this.#clock = clock;
    this.#events = events;
    this.log = new LogWriter({
      dir: request.dir,
      ringBytes: request.limits.ring_bytes,
      keepUnacknowledged: request.journal,
      now: () => clock.now(),
      onDegraded: (degraded) => this.#degraded(degraded),
    });
    const { promise, resolve } = Promise.withResolvers<HostExit>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get exit(): { code: number | null; signal: string | null } | null {
    return this.#exit;
  }
  get result(): HostExit | null {
    return this.#result;
  }
  get childPid(): number {
    return this.#command?.pid ?? 0;
  }

  writeMeta(patch: Partial<HostMeta> = {}): void {
    this.#meta = { ...this.#meta, ...patch };
    writeFileNow(join(this.request.dir, "meta.json"), `${JSON.stringify(this.#meta)}\n`, 0o600);
  }

  /** Takes the command over that was just started. `start` gets what its output goes to. */
  async run(start: (push: OutputPipe["push"]) => Command | Promise<Command>): Promise<void> {
    const { limits, tty } = this.request;
    const output = new OutputPipe({
      log: this.log,
      clock: this.#clock,
      rate: limits.rate,
      maxPauseMs: tty ? PTY_PAUSE_MS : Number.MAX_SAFE_INTEGER,
      pause: () => this.#command?.pause(),
      resume: () => this.#command?.resume(),
      onRecord: () => this.#recorded(),
    });
    this.#output = output;
    const command = await start((kind, data) => output.push(kind, data));
    this.#command = command;
    this.#startedMs = this.#clock.now();
    // A command that has ended already has no identity: then nothing of its number is ours.
    this.#startKey = processIdentity(command.pid)?.startKey ?? "gone";
    const expiresAt = limits.ttl_ms > 0 ? this.#startedMs + limits.ttl_ms : null;
    this.writeMeta({ child_pid: command.pid, child_start_key: this.#startKey, started_at_ms: this.#startedMs, expires_at_ms: expiresAt });
    this.#expireAt(expiresAt);
    void command.exited.then((exit) => this.#ended(exit));
  }

  status(): HostStatus {
    const { request, log } = this;
    return {
      v: request.v,
      xid: request.xid,
      nonce: request.nonce,
      thread_id: request.thread_id,
      process_id: request.process_id,
      generation: request.generation,
      host_pid: this.#meta.host_pid,
      child_pid: this.childPid,
      state: this.#result !== null ? "closed" : this.#exit !== null ? "exited" : "running",
      last_seq: log.lastSeq,
      first_seqs: log.firstSeqs,
      total_bytes: log.totalBytes,
      dropped_bytes: log.droppedBytes,
      degraded: log.degraded,
      ...(this.#result === null ? {} : { exit: this.#result }),
    };
  }

  write(id: string, data: Buffer): WriteStatus {
    if (this.#writes.has(id)) return "duplicate";
    if (this.#exit !== null) return "exited";
    const command = this.#command;
    if (command === null || this.#inputClosed || this.request.stdin === "none") return "stdin_closed";
    if (command.queued() + data.length > QUEUE_MAX) return "busy";
    if (!command.write(data)) return "stdin_closed";
    if (this.request.journal) this.#note("stdin", data);
    this.#writes.add(id);
    const [oldest] = this.#writes;
    if (this.#writes.size > REMEMBERED_WRITES && oldest !== undefined) this.#writes.delete(oldest);
    return "accepted";
  }

  /** A word of the owner's in the log of an agent: what happened on its side, for whoever reads the log again. */
  note(text: string): void {
    if (this.#result === null) this.#note("note", Buffer.from(text));
  }

  closeStdin(): void {
    if (this.request.tty) throw new MulticaError("not_allowed", "a terminal's input is ended by typing ^D");
    this.#inputClosed = true;
    this.#command?.closeInput();
  }

  resize(cols: number, rows: number): void {
    if (!this.request.tty) throw new MulticaError("not_a_tty", "the process has no terminal");
    const valid = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 1000;
    if (!valid(cols) || !valid(rows)) throw new MulticaError("invalid", "columns and rows are 1 to 1000");
    if (this.#exit !== null) return;
    this.#command?.resize(cols, rows);
    this.#note("resize", Buffer.from(JSON.stringify({ cols, rows })));
  }

  signal(name: SignalName, target: "group" | "leader"): void {
    const command = this.#command;
    // Its own child that was not reaped: the number is its.
    if (command === null || this.#exit !== null || processIdentity(command.pid)?.startKey !== this.#startKey) return;
    sendSignal(target === "group" && groupAlive(command.pid) ? -command.pid : command.pid, `SIG${name}`);
  }

  /** Ends the command; its end is reported as any other. */
  terminate(graceMs: number, reason: string, force = false): void {
    if (this.#result !== null) return;
    this.#reason ??= reason;
    this.#output?.release();
    this.#ending = Promise.all([this.#ending, this.#endTree(graceMs, force)]);
  }

  acknowledge(seq: number): void {
    this.log.acknowledge(seq);
    if (!this.log.full) this.#output?.release();
  }

  update(patch: { keep?: boolean; expiresAtMs?: number | null; label?: string }): void {
    if (patch.expiresAtMs !== undefined) this.#expireAt(patch.expiresAtMs);
    this.writeMeta({
      ...(patch.keep === undefined ? {} : { keep: patch.keep }),
      ...(patch.expiresAtMs === undefined ? {} : { expires_at_ms: patch.expiresAtMs }),
      ...(patch.label === undefined ? {} : { label: patch.label }),
    });
  }

  #endTree(graceMs: number, force: boolean): Promise<boolean> {
    const command = this.#command;
    return endTree({
      xid: this.request.xid,
      leader: command === null || this.#exit !== null ? null : { pid: command.pid, startKey: this.#startKey },
      rest: this.#exit?.rest ?? [],
      tty: this.request.tty,
      graceMs,
      force,
      leaveChildren: this.request.leave_children,
      clock: this.#clock,
    });
  }

  async #ended(exit: CommandExit): Promise<void> {
    this.#exit = exit;
    this.#exitedMs = this.#clock.now();
    this.#cancelExpiry();
    this.#output?.release();
    this.#output?.flush();
    this.#note("exited", Buffer.from(JSON.stringify({ code: exit.code, signal: exit.signal })));
    this.#events.onEvent("exited");
    await this.#drain();
    await this.#ending;
    if (!this.request.leave_children) await this.#endTree(REST_GRACE_MS, false);
    this.#close(exit);
  }

  /** Until all output has come, or nothing came for a while: a child in the background may hold the pipe open for ever. */
  async #drain(): Promise<void> {
    const command = this.#command;
    const output = this.#output;
    if (command === null || output === null) return;
    const limit = this.#clock.monotonic() + DRAIN_MS;
    output.lastMs = this.#clock.monotonic();
    let drained = false;
    void command.drained.then(() => (drained = true));
    for (;;) {
      // Two turns of the loop: a timer that fires late must not hide output that waits behind it.
      await this.#clock.sleep(1);
      await this.#clock.sleep(1);
      const now = this.#clock.monotonic();
      if (drained || now >= limit) return;
      if (!output.paused && now - output.lastMs >= SILENCE_MS) return;
    }
  }

  #close(exit: CommandExit): void {
    this.#output?.flush();
    this.#stopRetry();
    this.log.append("closed", Buffer.alloc(0));
    this.log.close();
    const killed = exit.signal !== null ? "killed" : "exited";
    const result: HostExit = {
      exit_code: exit.code,
      signal: exit.signal,
      reason: this.#reason ?? killed,
      started_at_ms: this.#startedMs,
      exited_at_ms: this.#exitedMs,
      closed_at_ms: this.#clock.now(),
      last_seq: this.log.lastSeq,
      total_bytes: this.log.totalBytes,
      dropped_bytes: this.log.droppedBytes,
    };
    this.#result = result;
    this.#writeExit(result);
    this.#events.onRecord();
    this.#events.onEvent("closed");
    this.#resolveClosed(result);
  }

  /** A full disk must not keep the host alive: whoever is connected learns the end from the socket. */
  #writeExit(result: HostExit): void {
    try {
      writeFileNow(join(this.request.dir, "exit.json"), `${JSON.stringify(result)}\n`, 0o600);
    } catch {
      this.#events.onEvent("degraded");
    }
  }

  #note(kind: "stdin" | "resize" | "exited" | "note", payload: Buffer): void {
    this.#output?.flush();
    this.log.append(kind, payload);
    this.#events.onRecord();
  }

  #recorded(): void {
    const { max_bytes } = this.request.limits;
    if (max_bytes > 0 && this.log.totalBytes > max_bytes) this.terminate(REST_GRACE_MS, "terminated");
    if (this.log.full && this.#exit === null) this.#output?.hold();
    this.#events.onRecord();
  }

  #degraded(degraded: boolean): void {
    this.#stopRetry();
    if (degraded) this.#stopRetry = this.#clock.every(RETRY_DISK_MS, () => this.log.retry());
    else if (!this.log.full) this.#output?.release();
    this.#events.onEvent("degraded");
  }

  #expireAt(atMs: number | null): void {
    this.#cancelExpiry();
    if (atMs === null || this.#exit !== null) return;
    // A timer cannot wait longer than 24 days, and the machine may sleep: the time decides, not the timer.
    const expire = (): void => (this.#clock.now() >= atMs ? this.terminate(5000, "expired") : this.#expireAt(atMs));
    this.#cancelExpiry = this.#clock.setTimer(Math.max(0, atMs - this.#clock.now()), expire);
  }
}
