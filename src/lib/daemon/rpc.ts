import { uuid } from "../core/index.ts";
import type { PostedFrame } from "../api/frame-queue.ts";
import { FRAME, type Frame, RPC_CAPABILITY, rpcResponseSchema } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";

export type RpcAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: unknown; readonly error: string }
  /** Certainly not executed: another way may be tried at once. */
  | { readonly kind: "not_sent" }
  /** It may have been executed: nothing may be tried now. */
  | { readonly kind: "uncertain" }
  | { readonly kind: "aborted" };

interface Waiter {
  readonly frame: PostedFrame;
  readonly settle: (answer: RpcAnswer) => void;
}

interface Link {
  readonly post: (frame: Frame) => PostedFrame | null;
  /** An ack of this very connection named the capability. */
  acked: boolean;
}

/** Calls over the socket (daemon.md 9.4): allowed only where an ack of the present connection said so. */
export class RpcClient {
  readonly #parts: Pick<DaemonContext, "clock" | "limits">;
  #link: Link | null = null;
  readonly #pending = new Map<string, Waiter>();

  constructor(parts: Pick<DaemonContext, "clock" | "limits">) {
    this.#parts = parts;
  }

  /** True when a call would be sent. */
  get ready(): boolean {
    return this.#link?.acked === true;
  }

  /** A new connection: what the one before could do says nothing about it. */
  connected(post: Link["post"]): void {
    this.disconnected();
    this.#link = { post, acked: false };
  }

  /** The capabilities an ack of the present connection listed. */
  acked(capabilities: readonly string[]): void {
    if (this.#link !== null && capabilities.includes(RPC_CAPABILITY)) this.#link.acked = true;
  }

  /** The connection is closed, so that no answer can follow: what was written is uncertain, the rest was never sent. */
  disconnected(): void {
    this.#link = null;
    for (const waiter of [...this.#pending.values()]) waiter.settle({ kind: waiter.frame.withdraw() ? "not_sent" : "uncertain" });
  }

  /** Late and unknown answers are dropped: the lease brings the tasks back. */
  onResponse(payload: unknown): void {
    const answer = rpcResponseSchema.safeParse(payload);
    if (!answer.success) return;
    const { request_id: id, status, body, error } = answer.data;
    this.#pending.get(id)?.settle({ kind: "answered", status, body, error: error ?? "" });
  }

  /** Waits the server's budget and a little more for the answer. Never rejects. */
  async call(method: string, body: unknown, budgetMs: number, signal: AbortSignal): Promise<RpcAnswer> {
    const link = this.#link;
    if (link === null || !link.acked) return { kind: "not_sent" };
    if (signal.aborted) return { kind: "aborted" };
    const id = uuid();
    const frame = link.post({ type: FRAME.rpcRequest, payload: { request_id: id, method, body, timeout_ms: budgetMs } });
    if (frame === null) return { kind: "not_sent" };
    const { promise, resolve } = Promise.withResolvers<RpcAnswer>();
    this.#pending.set(id, { frame, settle: resolve });
    const { clock, limits } = this.#parts;
    const stop = clock.setTimer(budgetMs + limits.rpcGrace, () => resolve({ kind: frame.withdraw() ? "not_sent" : "uncertain" }));
    const onAbort = (): void => {
      frame.withdraw();
      resolve({ kind: "aborted" });
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      stop();
      this.#pending.delete(id);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
