import type { AgentMessage, LogLevel, ReducerTimeouts, RunOptions } from "../../contract.ts";
import { type RpcPeer, createPeer, rpcNotification, rpcRequest } from "../../jsonrpc/peer.ts";
import type { AbortReason, Effect, Step, Terminal } from "../../reducer.ts";
import { emptyUsage, type UsageCount } from "./usage.ts";

/** Where the conversation stands; a turn is armed once `turn/start` was written. */
export type CodexPhase = "starting" | "threadPending" | "naming" | "turnArmed" | "done";

/** Which of the two notification protocols this process is read in: 0.100.0 speaks both at once (real-agents.md 5). */
export type Dialect = "unknown" | "legacy" | "current";

export interface OpenCall {
  readonly tool: string;
  /** What the command printed so far, as far as it was streamed. */
  readonly partial: string;
}

export interface CodexState {
  readonly options: RunOptions;
  readonly limits: Required<ReducerTimeouts>;
  readonly peer: RpcPeer;
  readonly phase: CodexPhase;
  readonly dialect: Dialect;
  /** Events of the older protocol were seen, whichever is read. */
  readonly speaksLegacy: boolean;
  readonly threadId: string;
  /** The model the thread said it uses. */
  readonly threadModel: string;
  readonly turnId: string;
  /** A start marker of the turn was seen. */
  readonly turnStarted: boolean;
  /** The agent refused the session that was asked for. */
  readonly resumeRejected: boolean;
  readonly resumeAttempts: number;
  readonly fresh: boolean;
  /** Something besides the turn's start and retries was seen: from here on a second attempt would repeat work. */
  readonly progressed: boolean;
  readonly statusHeld: boolean;
  readonly lastActivity: string;
  readonly openCalls: Readonly<Record<string, OpenCall>>;
  readonly turnError: string;
  readonly lastText: string;
  /** Kind of the message before: whole texts next to each other are set apart, since readers join neighbours. */
  readonly lastKind: string;
  readonly finalAnswer: string;
  readonly usage: UsageCount;
  readonly abort: AbortReason | null;
  readonly inputError: string;
}

export type Draft = { -readonly [K in keyof CodexState]: CodexState[K] };

/** One step at work: a copy of the state that may be written to, and the effects so far. */
export interface Turn {
  readonly s: Draft;
  readonly effects: Effect[];
}

export const TIMER = { handshake: "handshake", resume: "resume-retry", firstTurn: "first-turn", idle: "semantic-inactivity", settle: "settle" } as const;

const DEFAULT_HANDSHAKE_MS = 30_000;
const DEFAULT_SEMANTIC_MS = 600_000;
const DEFAULT_FIRST_TURN_MS = 60_000;

export function initialState(options: RunOptions): CodexState {
  return {
    options,
    limits: resolveLimits(options.timeouts ?? {}),
    peer: createPeer(1),
    phase: "starting",
    dialect: "unknown",
    speaksLegacy: false,
    threadId: "",
    threadModel: "",
    turnId: "",
    turnStarted: false,
    resumeRejected: false,
    resumeAttempts: 0,
    fresh: true,
    progressed: false,
    statusHeld: false,
    lastActivity: "",
    openCalls: {},
    turnError: "",
    lastText: "",
    lastKind: "",
    finalAnswer: "",
    usage: emptyUsage,
    abort: null,
    inputError: "",
  };
}

/** A semantic window not above the default leaves the first turn four fifths of it (agents.md 6.3). */
function resolveLimits(timeouts: ReducerTimeouts): Required<ReducerTimeouts> {
  const semantic = timeouts.semanticInactivityMs ?? DEFAULT_SEMANTIC_MS;
  const short = semantic > 0 && semantic <= DEFAULT_FIRST_TURN_MS;
  return {
    handshakeMs: timeouts.handshakeMs ?? DEFAULT_HANDSHAKE_MS,
    semanticInactivityMs: semantic,
    firstTurnMs: timeouts.firstTurnMs ?? (short ? Math.round((semantic * 4) / 5) : DEFAULT_FIRST_TURN_MS),
  };
}

export function begin(state: CodexState): Turn {
  return { s: { ...state }, effects: [] };
}

export function end(turn: Turn): Step<CodexState> {
  return { state: turn.s, effects: turn.effects };
}

export function request(turn: Turn, method: string, params: unknown): void {
  const { peer, line } = rpcRequest(turn.s.peer, method, params);
  turn.s.peer = peer;
  turn.effects.push({ type: "write", line });
}

export function notify(turn: Turn, method: string): void {
  turn.effects.push({ type: "write", line: rpcNotification(method) });
}

export function log(turn: Turn, level: LogLevel, text: string, fields?: Record<string, unknown>): void {
  turn.effects.push(fields === undefined ? { type: "log", level, text } : { type: "log", level, text, fields });
}

export function setTimer(turn: Turn, id: string, ms: number): void {
  if (ms > 0) turn.effects.push({ type: "setTimer", id, ms });
}

export function clearTimer(turn: Turn, id: string): void {
  turn.effects.push({ type: "clearTimer", id });
}

/** Diagnostics for the log, never part of the transcript and no sign of life. */
export function note(turn: Turn, level: LogLevel, content: string): void {
  turn.effects.push({ type: "message", message: { kind: "log", level, content } });
}

/** A message of the transcript: activity, and the moment at which a held status goes out. */
export function emit(turn: Turn, message: AgentMessage): void {
  progress(turn, `${message.kind}:${messageDetail(message)}`);
  const apart = message.kind === turn.s.lastKind && (message.kind === "text" || message.kind === "thinking");
  turn.s.lastKind = message.kind;
  turn.effects.push({ type: "message", message: apart ? { ...message, content: `\n\n${message.content}` } : message });
}

function messageDetail(message: AgentMessage): string {
  return message.kind === "tool_use" || message.kind === "tool_result" ? message.tool : "";
}

/**
 * The turn's start: held back until the turn does something, so that the id of a thread that turns out to be dead
 * is never pinned (agents.md 14.10).
 */
export function turnRunning(turn: Turn): void {
  if (turn.s.turnStarted) return;
  turn.s.turnStarted = true;
  turn.s.statusHeld = true;
  turn.s.lastActivity = "status:running";
  setTimer(turn, TIMER.firstTurn, turn.s.limits.firstTurnMs);
  setTimer(turn, TIMER.idle, turn.s.limits.semanticInactivityMs);
}

/** Activity that proves the turn does something: restarts the inactivity window, ends the first-turn window. */
export function progress(turn: Turn, activity: string): void {
  const { s } = turn;
  s.lastActivity = activity;
  if (!s.progressed) {
    s.progressed = true;
    clearTimer(turn, TIMER.firstTurn);
  }
  if (s.statusHeld) {
    s.statusHeld = false;
    turn.effects.push({ type: "message", message: { kind: "status", status: "running", sessionId: s.threadId } });
  }
  setTimer(turn, TIMER.idle, s.limits.semanticInactivityMs);
}

/** Activity that is no progress: the agent retries its model. */
export function alive(turn: Turn, activity: string): void {
  turn.s.lastActivity = activity;
  setTimer(turn, TIMER.idle, turn.s.limits.semanticInactivityMs);
}

/** The first turn error wins. */
export function recordTurnError(turn: Turn, text: string): void {
  if (turn.s.turnError === "") turn.s.turnError = text;
}

export function finish(turn: Turn, terminal: Terminal): void {
  if (turn.s.phase === "done") return;
  turn.s.phase = "done";
  turn.effects.push({ type: "finish", terminal });
}

export function modelKey(state: CodexState): string {
  return state.options.model ?? (state.threadModel || "unknown");
}

