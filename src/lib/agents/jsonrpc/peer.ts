import { isObject, parseJson } from "../../core/index.ts";

/** A JSON-RPC id; servers count from 0, so test it against undefined, never for truth (real-agents.md 3, finding 15). */
export type RpcId = number | string;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type RpcOutcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: RpcError };

/** One line of the other side, understood. */
export type RpcFrame =
  | { readonly type: "response"; readonly id: RpcId; readonly outcome: RpcOutcome }
  | { readonly type: "request"; readonly id: RpcId; readonly method: string; readonly params: unknown }
  | { readonly type: "notification"; readonly method: string; readonly params: unknown };

/** What arrived, with the answers matched to our own questions. */
export type RpcIncoming =
  | { readonly type: "response"; readonly id: number; readonly method: string; readonly outcome: RpcOutcome }
  | Extract<RpcFrame, { type: "request" } | { type: "notification" }>;

/** The peer's whole memory: an immutable value that lives inside an adapter's state. */
export interface RpcPeer {
  readonly nextId: number;
  /** Method of every request that has no answer yet, by id. */
  readonly pending: Readonly<Record<number, string>>;
}

export const METHOD_NOT_FOUND = -32601;

/** A peer whose first request has this id (codex: 1, ACP: 0). */
export function createPeer(firstId: number): RpcPeer {
  return { nextId: firstId, pending: {} };
}

/** A request: the line to write (without its end), its id, and the peer that awaits the answer. */
export function rpcRequest(peer: RpcPeer, method: string, params: unknown): { peer: RpcPeer; id: number; line: string } {
  const id = peer.nextId;
  return {
    peer: { nextId: id + 1, pending: { ...peer.pending, [id]: method } },
    id,
    line: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
  };
}

/** A notification's line; without `params` the member is left out. */
export function rpcNotification(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

/** The line that answers a request of the other side. */
export function rpcReply(id: RpcId, result: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

/** The line that refuses a request of the other side. */
export function rpcRefusal(id: RpcId, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
}

/**
 * Takes one line. Null incoming: not JSON, no JSON-RPC frame, or an answer nobody waits for; such lines are skipped
 * (banners, log lines, late answers) and never answered.
 */
export function rpcReceive(peer: RpcPeer, line: string): { peer: RpcPeer; incoming: RpcIncoming | null } {
  const frame = parseRpcFrame(line);
  if (frame === null || frame.type !== "response") return { peer, incoming: frame };
  const method = typeof frame.id === "number" ? peer.pending[frame.id] : undefined;
  if (typeof frame.id !== "number" || method === undefined) return { peer, incoming: null };
  const { [frame.id]: _answered, ...pending } = peer.pending;
  return {
    peer: { ...peer, pending },
    incoming: { type: "response", id: frame.id, method, outcome: frame.outcome },
  };
}

/** Stops waiting for an answer: a late one is skipped. */
export function rpcForget(peer: RpcPeer, id: number): RpcPeer {
  const { [id]: _forgotten, ...pending } = peer.pending;
  return { ...peer, pending };
}

/** `<method>: <message> (code=<n>)`, with `withData` also `, data=<text or JSON>` inside the brackets. */
export function rpcErrorText(method: string, error: RpcError, withData = false): string {
  const data = withData && error.data !== undefined && error.data !== null ? `, data=${dataText(error.data)}` : "";
  return `${method}: ${error.message} (code=${error.code}${data})`;
}

/** The frame a line holds, or null. The `jsonrpc` member is not required: codex leaves it out. */
export function parseRpcFrame(line: string): RpcFrame | null {
  const trimmed = line.trim();
  if (!trimmed.startsWith("{")) return null;
  const value = parseJson(trimmed);
  if (!isObject(value)) return null;
  const id = typeof value.id === "number" || typeof value.id === "string" ? value.id : undefined;
  if (typeof value.method === "string") {
    const { method, params } = value;
    return id === undefined ? { type: "notification", method, params } : { type: "request", id, method, params };
  }
  if (id === undefined) return null;
  if (value.error !== undefined && value.error !== null) return { type: "response", id, outcome: { ok: false, error: toError(value.error) } };
  return "result" in value ? { type: "response", id, outcome: { ok: true, result: value.result } } : null;
}

function toError(value: unknown): RpcError {
  if (!isObject(value)) return { code: 0, message: dataText(value) };
  const code = typeof value.code === "number" ? value.code : 0;
  const message = typeof value.message === "string" && value.message !== "" ? value.message : "unknown error";
  return value.data === undefined ? { code, message } : { code, message, data: value.data };
}

function dataText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
