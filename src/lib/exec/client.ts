import { lstatSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { dirname } from "node:path";
import { LineSplitter, MulticaError, asString, isObject, parseJson, sha256Hex } from "../core/index.ts";
import { type Clock, currentUid, privateDirectory, withTimeout } from "../platform/index.ts";
import { type HostReadReply, type HostStatus, LINE_MAX, PROTOCOL, type WireEvent } from "./protocol.ts";

export type HostEvent =
  | { readonly ev: "out"; readonly event: WireEvent }
  | { readonly ev: "exited" | "closed" | "degraded"; readonly status: HostStatus }
  | { readonly ev: "displaced" };

export interface ConnectHost {
  readonly socket: string;
  readonly token: string;
  readonly role: "owner" | "viewer";
  readonly epoch: number;
  readonly instanceId: string;
  /** SHA-256 of the nonce the host must know: against a stranger behind the same address. */
  readonly nonceHash: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onEvent?: (event: HostEvent) => void;
}

/** A connection to a host. Requests reject with `host_gone` when it ends, or with the code of the host. */
export interface HostClient {
  /** As of the greeting. */
  readonly status: HostStatus;
  request(op: string, params?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>;
  read(params: { readonly after_seq: number; readonly after_bytes: number | null; readonly max_bytes: number; readonly wait_ms: number }): Promise<HostReadReply>;
  readonly closed: Promise<void>;
  close(): void;
}

const REQUEST_MS = 10_000;

/**
 * Connects and greets. Throws `host_gone` when nobody listens, `foreign_host` when it is not the one that was started,
 * `unsafe_socket` when the address is not a socket of ours, or the refusal's code (`stale_epoch`, `bad_token`, …).
 */
export async function connectHost(options: ConnectHost): Promise<HostClient> {
  checkAddress(options.socket);
  const socket = await open(options);
  const wire = new Wire(socket, options);
  try {
    const { role, token, epoch, instanceId } = options;
    const reply = await wire.request("hello", { v: PROTOCOL, token, role, epoch, instance_id: instanceId }, options.timeoutMs);
    const status = reply as unknown as HostStatus;
    if (sha256Hex(asString(reply["nonce"])) !== options.nonceHash) throw new MulticaError("foreign_host", "another host answers at this address");
    return {
      status,
      request: (op, params = {}, timeoutMs = REQUEST_MS) => wire.request(op, params, timeoutMs),
      read: async (params) => (await wire.request("read", params, params.wait_ms + REQUEST_MS)) as unknown as HostReadReply,
      closed: wire.closed,
      close: () => socket.destroy(),
    };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The token is only sent to a socket of ours in a directory of ours. */
function checkAddress(path: string): void {
  privateDirectory(dirname(path));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new MulticaError("host_gone", "the host's socket is gone");
  const uid = currentUid();
  if (!found.isSocket() || (uid !== undefined && found.uid !== uid)) throw new MulticaError("unsafe_socket", `not a socket of ours: ${path}`);
}

function open(options: ConnectHost): Promise<Socket> {
  const socket = connect(options.socket);
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error) => reject(new MulticaError("host_gone", "the host does not answer", { cause: error })));
  });
  return withTimeout(options.clock, options.timeoutMs, "the host", connected).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
}

interface Pending {
  readonly resolve: (reply: Readonly<Record<string, unknown>>) => void;
  readonly reject: (error: Error) => void;
}

class Wire {
  readonly #socket: Socket;
  readonly #options: ConnectHost;
  readonly #lines = new LineSplitter(LINE_MAX);
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  readonly closed: Promise<void>;

  constructor(socket: Socket, options: ConnectHost) {
    this.#socket = socket;
    this.#options = options;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#data(chunk));
    this.closed = new Promise((resolve) =>
      socket.once("close", () => {
        for (const pending of this.#pending.values()) pending.reject(new MulticaError("host_gone", "the connection to the host ended", { retry: "now" }));
        this.#pending.clear();
        resolve();
      }),
    );
  }

  async request(op: string, params: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
    if (this.#socket.destroyed) throw new MulticaError("host_gone", "the connection to the host ended", { retry: "now" });
    const id = (this.#nextId += 1);
    const reply = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#socket.write(`${JSON.stringify({ id, op, ...params })}\n`);
    try {
      return await withTimeout(this.#options.clock, timeoutMs, `the host's answer to ${op}`, reply);
    } finally {
      this.#pending.delete(id);
    }
  }

  #data(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#line(parseJson(line.toString("utf8")));
    } catch {
      this.#socket.destroy();
    }
  }

  #line(value: unknown): void {
    if (!isObject(value)) return;
    const { id, ev } = value;
    if (typeof ev === "string") return this.#event(ev, value);
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (pending === undefined) return;
    if (value["ok"] === true) pending.resolve(value);
    else pending.reject(new MulticaError(asString(value["code"]) || "failed", asString(value["message"]) || "the host refused"));
  }

  #event(ev: string, value: Readonly<Record<string, unknown>>): void {
    const { onEvent } = this.#options;
    if (ev === "out") onEvent?.({ ev, event: value as unknown as WireEvent });
    else if (ev === "displaced") onEvent?.({ ev });
    else if (ev === "exited" || ev === "closed" || ev === "degraded") onEvent?.({ ev, status: value["status"] as unknown as HostStatus });
  }
}
