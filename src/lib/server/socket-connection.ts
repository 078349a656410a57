import type { RawData, WebSocket } from "ws";
import { errorText, parseJson } from "../core/index.ts";
import { FRAME, RPC_CAPABILITY, SOCKET_LIMITS, frameSchema, heartbeatPayloadSchema, rpcRequestSchema } from "../wire/index.ts";
import type { Principal } from "./auth/authenticate.ts";
import type { ServerContext } from "./context.ts";
import { touchRuntime } from "./services/daemon/presence.ts";
import { popRequests } from "./services/requests/store.ts";
import { answerRpc } from "./socket-rpc.ts";
import { inTransaction } from "./transaction.ts";

const GOING_AWAY = 1001;

/** Who connected, for which runtimes, and what it says it understands. */
export interface Admitted {
  readonly principal: Principal;
  readonly runtimeIds: ReadonlySet<string>;
  readonly capabilities: ReadonlySet<string>;
}

/**
 * One daemon on the socket: answers its heartbeats, pings it, and drops it when it is silent, or too slow for the 16
 * frames that may wait for it (server-api.md 10.3). Ends itself; nothing of it is left after the socket's `close`.
 */
export class DaemonConnection {
  readonly principal: Principal;
  readonly runtimeIds: ReadonlySet<string>;
  readonly #capabilities: ReadonlySet<string>;
  readonly #ctx: ServerContext;
  readonly #socket: WebSocket;
  readonly #stopPing: () => void;
  readonly #writeLimits = new Set<() => void>();
  #stopReadLimit: () => void = () => undefined;
  #calls = 0;

  constructor(ctx: ServerContext, socket: WebSocket, asked: Admitted) {
    this.principal = asked.principal;
    this.runtimeIds = asked.runtimeIds;
    this.#capabilities = asked.capabilities;
    this.#ctx = ctx;
    this.#socket = socket;
    this.#stopPing = ctx.clock.every(ctx.thresholds.socketPingMs, () => this.#ping());
    this.#renewReadLimit();
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", () => this.#renewReadLimit());
    socket.on("error", (error) => ctx.logger.debug("daemon socket error", { error: errorText(error) }));
    socket.on("close", (code) => this.#onClose(code));
    ctx.logger.info("daemon connected", { runtimes: [...this.runtimeIds] });
  }

  /** Queues a frame; a daemon that has not taken the last 16 is disconnected and catches up when it comes back. */
  send(frame: { readonly type: string; readonly payload: object }, sent: () => void = () => undefined): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    // One transaction may announce many tasks in one go: frames the kernel has taken already are not waiting.
    const waiting = this.#socket.bufferedAmount > 0 ? this.#writeLimits.size : 0;
    if (waiting >= SOCKET_LIMITS.serverQueue) return this.#drop("outgoing queue is full");
    const done = this.#ctx.clock.setTimer(SOCKET_LIMITS.writeMs, () => this.#drop("write timed out"));
    this.#writeLimits.add(done);
    this.#socket.send(JSON.stringify(frame), () => {
      done();
      this.#writeLimits.delete(done);
      sent();
    });
  }

  /** Says good-bye with 1001 and resolves when the socket is gone, by force after `limitMs`. */
  close(limitMs: number): Promise<void> {
    if (this.#socket.readyState === this.#socket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#ctx.clock.setTimer(limitMs, () => this.#socket.terminate());
      this.#socket.once("close", () => {
        cancel();
        resolve();
      });
      this.#socket.close(GOING_AWAY, "server is shutting down");
    });
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#renewReadLimit();
    if (isBinary) return;
    const frame = frameSchema.safeParse(parseJson(toText(data)));
    if (!frame.success) return;
    if (frame.data.type === FRAME.rpcRequest) return this.#call(frame.data.payload);
    if (frame.data.type !== FRAME.heartbeat) return;
    const beat = heartbeatPayloadSchema.safeParse(frame.data.payload);
    if (beat.success && this.runtimeIds.has(beat.data.runtime_id)) this.#heartbeat(beat.data.runtime_id, beat.data.supports_batch_import === true);
  }

  /** An ack only for a beat that is on disk: without one the daemon beats over HTTP and learns what is wrong. */
  #heartbeat(runtimeId: string, batchImports: boolean): void {
    try {
      const state = inTransaction(this.#ctx, (tx) =>
        touchRuntime(tx, runtimeId)
          ? { status: "ok", ...popRequests(tx, runtimeId, batchImports) }
          : { status: "runtime_gone", runtime_gone: true },
      );
      const payload = { runtime_id: runtimeId, ...state, server_capabilities: [RPC_CAPABILITY] };
      this.send({ type: FRAME.heartbeatAck, payload });
    } catch (error) {
      this.#ctx.logger.error("heartbeat not stored", { runtime: runtimeId, error: errorText(error) });
    }
  }

  /** A call counts until its answer is on the way: a daemon that asks faster than it reads is told so. */
  #call(payload: unknown): void {
    if (this.#calls >= SOCKET_LIMITS.rpcInFlight) {
      const id = rpcRequestSchema.safeParse(payload);
      if (id.success) this.send({ type: FRAME.rpcResponse, payload: { request_id: id.data.request_id, status: 429, error: "too many calls in flight" } });
      return;
    }
    const answer = answerRpc(this.#ctx, { principal: this.principal, capabilities: this.#capabilities }, payload);
    if (answer === undefined) return;
    this.#calls += 1;
    this.send({ type: FRAME.rpcResponse, payload: answer }, () => {
      this.#calls -= 1;
    });
  }

  #ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  #renewReadLimit(): void {
    this.#stopReadLimit();
    this.#stopReadLimit = this.#ctx.clock.setTimer(this.#ctx.thresholds.socketReadMs, () => this.#drop("daemon is silent"));
  }

  #drop(reason: string): void {
    this.#ctx.logger.warn("daemon disconnected", { reason, runtimes: [...this.runtimeIds] });
    this.#socket.terminate();
  }

  #onClose(code: number): void {
    this.#stopPing();
    this.#stopReadLimit();
    for (const cancel of this.#writeLimits) cancel();
    this.#writeLimits.clear();
    this.#ctx.logger.info("daemon gone", { code, runtimes: [...this.runtimeIds] });
  }
}

function toText(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.from(data).toString("utf8");
}
