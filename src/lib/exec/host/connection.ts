import type { Socket } from "node:net";
import { LineSplitter, MulticaError, asString, errorText, isMulticaError, isObject, parseJson } from "../../core/index.ts";
import { LogReader } from "../log/reader.ts";
import { type HostReadReply, type HostStatus, LINE_MAX, PROTOCOL, READ_MAX, RECORD_BYTES, SIGNALS, toWire } from "../protocol.ts";
import type { LogEvent, SignalName } from "../types.ts";
import type { Hello, Hub } from "./hub.ts";

type Params = Readonly<Record<string, unknown>>;
type Reply = Readonly<Record<string, unknown>>;

const HELLO_MS = 2000;
const WAIT_MAX_MS = 300_000;
const WINDOW_BYTES = 1 << 20;
/** Unsent bytes after which nothing more is put on a socket. */
const SOCKET_BYTES = 512 * 1024;
const OWNER_ONLY = new Set(["update", "bye", "acknowledge", "note", "sealed", "unlock"]);
/** A sealed text goes in pieces that fit into a line. */
const SEALED_CHARS = 32 * 1024;

/** One line in, one line out: a client of the host. */
export class Connection {
  readonly #socket: Socket;
  readonly #hub: Hub<Connection>;
  readonly #lines = new LineSplitter(LINE_MAX);
  #known = false;
  #cancelHello: () => void;
  #wake: (() => void)[] = [];
  #reader: LogReader | null = null;
  #follow: { readonly reader: LogReader; readonly window: number; inFlight: Map<number, number>; sent: number } | null = null;
  #pumping = false;

  constructor(socket: Socket, hub: Hub<Connection>) {
    this.#socket = socket;
    this.#hub = hub;
    this.#cancelHello = hub.clock.setTimer(HELLO_MS, () => this.end());
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#data(chunk));
    socket.on("drain", () => this.changed());
    socket.once("close", () => {
      this.#cancelHello();
      this.#reader?.close();
      this.#follow?.reader.close();
      this.#follow = null;
    });
  }

  /** True while a viewer has not got everything. */
  get busy(): boolean {
    return this.#socket.writableLength > 0 || (this.#follow !== null && this.#follow.reader.cursor.seq < this.#hub.session.log.lastSeq);
  }

  changed(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
    void this.#pump();
  }

  event(name: string, status: HostStatus): void {
    this.#send({ ev: name, status });
  }

  displace(): void {
    this.#send({ ev: "displaced" });
    this.end();
  }

  end(): void {
    this.#socket.end();
    this.#hub.clock.setTimer(200, () => this.#socket.destroy());
  }

  #send(value: unknown): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(value)}\n`);
  }

  #data(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) void this.#line(line.toString("utf8"));
    } catch {
      this.#socket.destroy();
    }
  }

  async #line(text: string): Promise<void> {
    const request = parseJson(text);
    const id = isObject(request) ? request["id"] : undefined;
    if (!isObject(request) || typeof request["op"] !== "string") return this.#refuse(id, "invalid");
    const op = request["op"];
    if (!this.#known) return op === "hello" ? this.#hello(id, request) : this.#refuse(id, "hello_first");
    try {
      if (OWNER_ONLY.has(op) && !this.#hub.isOwner(this)) throw new MulticaError("not_owner", "only the owner may do that");
      const reply = await this.#run(op, request);
      this.#send({ id, ok: true, ...reply });
    } catch (error) {
      this.#send({ id, ok: false, code: isMulticaError(error) ? error.code : "failed", message: errorText(error) });
    }
  }

  #refuse(id: unknown, code: string): void {
    this.#send({ id, ok: false, code, message: code });
    this.#hub.dismiss(this);
  }

  #hello(id: unknown, request: Params): void {
    this.#cancelHello();
    const hello: Hello = {
      token: asString(request["token"]),
      role: request["role"] === "owner" ? "owner" : "viewer",
      epoch: Number(request["epoch"] ?? 0),
      instanceId: asString(request["instance_id"]),
    };
    const refused = request["v"] === PROTOCOL ? this.#hub.admit(this, hello) : "version";
    if (refused !== null) return this.#refuse(id, refused);
    this.#known = true;
    this.#send({ id, ok: true, ...this.#hub.session.status() });
  }

  async #run(op: string, request: Params): Promise<Reply> {
    const { session } = this.#hub;
    const number = (name: string, fallback: number): number => (typeof request[name] === "number" ? request[name] : fallback);
    switch (op) {
      case "status":
        return { ...session.status() };
      case "read":
        return { ...(await this.#read(request)) };
      case "follow":
        return this.#startFollow(number("after_seq", 0), typeof request["after_bytes"] === "number" ? request["after_bytes"] : null, number("window", WINDOW_BYTES));
      case "ack":
        this.#ack(number("seq", 0));
        return {};
      case "write":
        return { status: session.write(asString(request["write_id"]).slice(0, 80), Buffer.from(asString(request["data"]), "base64")) };
      case "close_stdin":
        session.closeStdin();
        return {};
      case "resize":
        session.resize(number("cols", 0), number("rows", 0));
        return {};
      case "signal":
        session.signal(signalOf(request["name"]), request["target"] === "leader" ? "leader" : "group");
        return {};
      case "terminate":
        session.terminate(number("grace_ms", 5000), asString(request["reason"]) || "terminated", request["force"] === true);
        return {};
      case "update":
        return this.#update(request);
      case "acknowledge":
        session.acknowledge(number("seq", 0));
        return {};
      case "note":
        session.note(asString(request["text"]));
        return {};
      case "sealed": {
        const sealed = session.request.sealed ?? "";
        return { text: sealed.slice(number("at", 0), number("at", 0) + SEALED_CHARS), length: sealed.length };
      }
      case "unlock":
        return { token: this.#hub.passLock({ pid: number("pid", 0), startKey: asString(request["start_key"]), bootId: asString(request["boot_id"]) }) };
      case "bye":
        this.#hub.bye(number("acked_seq", 0));
        return {};
      default:
        throw new MulticaError("unknown_op", `unknown operation: ${op}`);
    }
  }

  #update(request: Params): Reply {
    const { keep, expires_at_ms: expires, orphan_ms: orphan, label } = request;
    if (typeof orphan === "number") this.#hub.setOrphanMs(orphan);
    this.#hub.session.update({
      ...(typeof keep === "boolean" ? { keep } : {}),
      ...(typeof expires === "number" || expires === null ? { expiresAtMs: expires } : {}),
      ...(typeof label === "string" ? { label } : {}),
    });
    return {};
  }

  async #read(request: Params): Promise<HostReadReply> {
    const { session, clock } = this.#hub;
    const afterSeq = typeof request["after_seq"] === "number" ? request["after_seq"] : 0;
    const maxBytes = Math.max(1, Math.min(Number(request["max_bytes"] ?? RECORD_BYTES), READ_MAX - RECORD_BYTES));
    const until = clock.monotonic() + Math.min(Number(request["wait_ms"] ?? 0), WAIT_MAX_MS);
    const reader = this.#takeReader(afterSeq, typeof request["after_bytes"] === "number" ? request["after_bytes"] : null);
    let events: LogEvent[] = reader.next(maxBytes);
    while (events.length === 0 && session.result === null && clock.monotonic() < until && !this.#socket.destroyed) {
      await this.#change(until - clock.monotonic());
      events = reader.next(maxBytes);
    }
    this.#reader?.close();
    this.#reader = reader;
    const { seq, bytes } = reader.cursor;
    const { exit, result, log } = session;
    return {
      events: events.map(toWire),
      next_seq: seq,
      next_bytes: bytes,
      exited: exit !== null,
      exit_code: exit?.code ?? null,
      signal: exit?.signal ?? null,
      closed: result !== null && seq >= log.lastSeq,
      more: seq < log.lastSeq,
      last_seq: log.lastSeq,
      total_bytes: log.totalBytes,
      dropped_bytes: log.droppedBytes,
    };
  }

  /** The last read's, when this one goes on where it ended. */
  #takeReader(seq: number, bytes: number | null): LogReader {
    const last = this.#reader;
    this.#reader = null;
    if (last?.cursor.seq === seq) return last;
    last?.close();
    return new LogReader(this.#hub.session.request.dir, { seq, bytes });
  }

  /** Resolves at the next record, when the connection ends, or after `ms`. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#hub.clock.setTimer(ms, resolve);
      this.#wake.push(() => (cancel(), resolve()));
    });
  }

  #startFollow(seq: number, bytes: number | null, window: number): Reply {
    this.#follow?.reader.close();
    const reader = new LogReader(this.#hub.session.request.dir, { seq, bytes });
    this.#follow = { reader, window: Math.max(RECORD_BYTES, Math.min(window, 16 << 20)), inFlight: new Map(), sent: 0 };
    // The reply comes first.
    this.#hub.clock.setTimer(0, () => void this.#pump());
    return {};
  }

  #ack(seq: number): void {
    const follow = this.#follow;
    if (follow === null) return;
    for (const [sent, bytes] of follow.inFlight) {
      if (sent > seq) break;
      follow.inFlight.delete(sent);
      follow.sent -= bytes;
    }
    void this.#pump();
  }

  /** Sends what is there while the client keeps up; a slow one stops only its own stream. */
  async #pump(): Promise<void> {
    const follow = this.#follow;
    if (follow === null || this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#follow === follow && follow.sent < follow.window && this.#socket.writableLength < SOCKET_BYTES) {
        const events = follow.reader.next(RECORD_BYTES);
        if (events.length === 0) break;
        for (const event of events) {
          const bytes = event.data?.length ?? 0;
          follow.inFlight.set(event.seq, bytes);
          follow.sent += bytes;
          this.#send({ ev: "out", ...toWire(event) });
        }
        // Others get their turn.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } finally {
      this.#pumping = false;
    }
  }
}

function signalOf(name: unknown): SignalName {
  const known = SIGNALS.find((signal) => signal === name);
  if (known === undefined) throw new MulticaError("invalid", `unknown signal: ${String(name)}`);
  return known;
}
