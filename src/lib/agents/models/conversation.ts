import { TASK_MARKER, MulticaError, errorText } from "../../core/index.ts";
import { deadline } from "../../platform/index.ts";
import { METHOD_NOT_FOUND, createPeer, rpcErrorText, rpcNotification, rpcReceive, rpcRefusal, rpcRequest } from "../jsonrpc/peer.ts";
import type { AgentTransport } from "../transport/transport.ts";
import { childTransport } from "../transport/child.ts";
import type { ModelProbe } from "./types.ts";

export interface Conversation {
  /** Asks and waits for the answer; throws what the agent refused. */
  ask(method: string, params: unknown): Promise<unknown>;
  tell(method: string): void;
}

export interface ConversationOptions extends ModelProbe {
  /** Arguments after the prefix. */
  readonly args: readonly string[];
  /** The first request's id: codex 1, ACP 0. */
  readonly firstId: number;
  readonly timeoutMs: number;
}

const LINE_MAX = 4 * 1024 * 1024;
const GRACE_MS = 1000;

/**
 * A short talk with an agent over its stdio: starts it, lets `script` ask, and ends the whole tree afterwards, whatever
 * came of it. Throws `model_probe_failed` when the agent cannot be started, ends, refuses or does not answer in time.
 */
export async function converse<T>(options: ConversationOptions, script: (talk: Conversation) => Promise<T>): Promise<T> {
  const { clock, env, cwd, executable } = options;
  const limit = deadline(clock, options.timeoutMs, options.signal);
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  let transport: AgentTransport | null = null;
  try {
    transport = await childTransport({ command: executable, args: [...options.prefix, ...options.args], cwd, env, lineMax: LINE_MAX, markerName: TASK_MARKER, clock });
    const onAbort = (): void => stopped.reject(limit.signal.reason);
    if (limit.signal.aborted) onAbort();
    limit.signal.addEventListener("abort", onAbort, { once: true });
    return await Promise.race([script(talkOver(transport, options.firstId, stopped.reject)), stopped.promise]);
  } catch (error) {
    options.signal.throwIfAborted();
    throw new MulticaError("model_probe_failed", errorText(error), { cause: error, retry: "later" });
  } finally {
    limit.done();
    transport?.closePipes();
    await transport?.terminate(GRACE_MS);
  }
}

function talkOver(transport: AgentTransport, firstId: number, fail: (error: unknown) => void): Conversation {
  let peer = createPeer(firstId);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const listen = async (): Promise<void> => {
    for await (const { stream, line } of transport.lines) {
      if (stream === "err") continue;
      const received = rpcReceive(peer, line);
      peer = received.peer;
      const { incoming } = received;
      if (incoming?.type === "request") transport.write(rpcRefusal(incoming.id, METHOD_NOT_FOUND, "not available here"));
      if (incoming?.type !== "response") continue;
      const waiter = waiting.get(incoming.id);
      waiting.delete(incoming.id);
      if (incoming.outcome.ok) waiter?.resolve(incoming.outcome.result);
      else waiter?.reject(new MulticaError("agent_refused", rpcErrorText(incoming.method, incoming.outcome.error)));
    }
    throw new MulticaError("agent_ended", "the agent ended before it answered");
  };
  listen().catch(fail);
  return {
    ask: (method, params) => {
      const sent = rpcRequest(peer, method, params);
      peer = sent.peer;
      const waiter = Promise.withResolvers<unknown>();
      waiting.set(sent.id, waiter);
      transport.write(sent.line);
      return waiter.promise;
    },
    tell: (method) => transport.write(rpcNotification(method)),
  };
}
