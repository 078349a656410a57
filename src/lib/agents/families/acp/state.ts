import type { AgentMessage, LogLevel, ReducerTimeouts, RunOptions } from "../../contract.ts";
import { type RpcPeer, createPeer, rpcNotification, rpcRequest } from "../../jsonrpc/peer.ts";
import type { AbortReason, Effect, Step, Terminal } from "../../reducer.ts";
import { type Sniffer, emptySniffer } from "./sniffer.ts";
import { type UsageCount, emptyUsage } from "./usage.ts";

/** `settling`: the prompt was answered, late notifications are still taken. */
export type AcpPhase = "initialize" | "session" | "configure" | "prompt" | "settling" | "done";

export interface ToolCall {
  readonly kind: string;
  readonly title: string;
  /** The use was announced; what follows is its output. */
  readonly announced: boolean;
  /** Latest content text: arguments while they stream in, output afterwards. Updates are cumulative, so it is replaced. */
  readonly text: string;
}

export interface AcpState {
  readonly options: RunOptions;
  readonly peer: RpcPeer;
  readonly phase: AcpPhase;
  readonly sessionId: string;
  /** The session that was asked for is the one that runs. */
  readonly resumed: boolean;
  /** The session's answer, for its models and options. */
  readonly session: Readonly<Record<string, unknown>>;
  /** The thinking level was asked for: the answer that is awaited is that one. */
  readonly effortAsked: boolean;
  /** The model the session runs on, as far as it said. */
  readonly sessionModel: string;
  readonly calls: Readonly<Record<string, ToolCall>>;
  /** Text of the current message, and of the last one that had any: the answer is the last text (agents.md 17.10 AC18). */
  readonly text: string;
  readonly earlierText: string;
  readonly lastChunk: string;
  readonly lastMessageId: string;
  readonly lastKind: string;
  readonly usage: UsageCount;
  readonly stopReason: string;
  readonly sniffer: Sniffer;
  readonly abort: AbortReason | null;
  readonly inputError: string;
}

type Draft = { -readonly [K in keyof AcpState]: AcpState[K] };

/** One step at work: a copy of the state that may be written to, and the effects so far. */
export interface Turn {
  readonly s: Draft;
  readonly effects: Effect[];
}

export const TIMER = { handshake: "handshake", quiet: "quiet", late: "late" } as const;

/** A first start may unpack or download a lot before it answers. */
const DEFAULT_HANDSHAKE_MS = 120_000;

export function handshakeMs(timeouts: ReducerTimeouts | undefined): number {
  return timeouts?.handshakeMs ?? DEFAULT_HANDSHAKE_MS;
}

export function initialState(options: RunOptions): AcpState {
  return {
    options,
    peer: createPeer(0),
    phase: "initialize",
    sessionId: "",
    resumed: false,
    session: {},
    effortAsked: false,
    sessionModel: "",
    calls: {},
    text: "",
    earlierText: "",
    lastChunk: "",
    lastMessageId: "",
    lastKind: "",
    usage: emptyUsage,
    stopReason: "",
    sniffer: emptySniffer,
    abort: null,
    inputError: "",
  };
}

export function begin(state: AcpState): Turn {
  return { s: { ...state }, effects: [] };
}

export function end(turn: Turn): Step<AcpState> {
  return { state: turn.s, effects: turn.effects };
}

export function request(turn: Turn, method: string, params: object): void {
  const { peer, line } = rpcRequest(turn.s.peer, method, params);
  turn.s.peer = peer;
  turn.effects.push({ type: "write", line });
}

/** A request of the handshake: it has a deadline of its own. */
export function askStep(turn: Turn, method: string, params: object): void {
  request(turn, method, params);
  const ms = handshakeMs(turn.s.options.timeouts);
  if (ms > 0) turn.effects.push({ type: "setTimer", id: TIMER.handshake, ms });
}

export function notify(turn: Turn, method: string, params: object): void {
  turn.effects.push({ type: "write", line: rpcNotification(method, params) });
}

/** The method we wait for, or the empty string. */
export function pendingMethod(state: AcpState): string {
  return Object.values(state.peer.pending)[0] ?? "";
}

export function log(turn: Turn, level: LogLevel, text: string, fields?: Record<string, unknown>): void {
  turn.effects.push(fields === undefined ? { type: "log", level, text } : { type: "log", level, text, fields });
}

/** Diagnostics for the log, never part of the transcript. */
export function note(turn: Turn, level: LogLevel, content: string): void {
  turn.effects.push({ type: "message", message: { kind: "log", level, content } });
}

export function emit(turn: Turn, message: AgentMessage): void {
  turn.s.lastKind = message.kind;
  turn.effects.push({ type: "message", message });
}

export function finish(turn: Turn, terminal: Terminal): void {
  if (turn.s.phase === "done") return;
  turn.s.phase = "done";
  turn.effects.push({ type: "finish", terminal });
}
