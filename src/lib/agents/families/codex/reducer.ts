import { asString, isObject } from "../../../core/index.ts";
import { exitText, type ExitFacts, type RunOptions } from "../../contract.ts";
import { type RpcIncoming, rpcReceive } from "../../jsonrpc/peer.ts";
import type { AgentEvent, AgentReducer, Step } from "../../reducer.ts";
import { isCurrentKind, onCurrent } from "./current.ts";
import { onHandshakeTimeout, onResponse, retryResume, startHandshake } from "./handshake.ts";
import { isLegacyKind, legacyMessage, onLegacy } from "./legacy.ts";
import { concludeAborted, concludeFailed, concludeFirstTurnTimeout, concludeInactive, concludeTurn } from "./outcome.ts";
import { answerRequest } from "./requests.ts";
import { type CodexState, TIMER, type Turn, begin, end, initialState, log, note, recordTurnError, request } from "./state.ts";

/** Codex' app-server over stdio (agents.md 14, real-agents.md 5). */
export const codexReducer: AgentReducer<CodexState> = {
  init(options: RunOptions): Step<CodexState> {
    const turn = begin(initialState(options));
    startHandshake(turn);
    return end(turn);
  },

  step(state: CodexState, event: AgentEvent): Step<CodexState> {
    if (state.phase === "done") return { state, effects: [] };
    const turn = begin(state);
    handle(turn, event);
    return end(turn);
  },
};

function handle(turn: Turn, event: AgentEvent): void {
  switch (event.type) {
    case "line":
      if (event.stream === "out") onLine(turn, event.line);
      return;
    case "timer":
      return onTimer(turn, event.id);
    case "abort":
      turn.s.abort ??= event.reason;
      return askToStop(turn);
    case "expire":
      concludeAborted(turn);
      return;
    case "inputFailed":
      // The exit that follows decides; a process may stop reading after its last word.
      turn.s.inputError = event.message;
      return;
    case "readFailed":
      return onReadFailed(turn, event.message);
    case "exit":
      return onExit(turn, event.exit);
  }
}

function onLine(turn: Turn, line: string): void {
  const { peer, incoming } = rpcReceive(turn.s.peer, line);
  turn.s.peer = peer;
  if (incoming === null) return;
  switch (incoming.type) {
    case "response":
      return onResponse(turn, incoming.method, incoming.outcome);
    case "request":
      return onRequest(turn, incoming);
    case "notification":
      return onNotification(turn, incoming.method, incoming.params);
  }
}

function onRequest(turn: Turn, incoming: Extract<RpcIncoming, { type: "request" }>): void {
  const answer = answerRequest(incoming.id, incoming.method, incoming.params);
  turn.effects.push({ type: "write", line: answer.line });
  if (answer.dropped !== undefined) log(turn, "warn", "codex asked for unknown permissions", { dropped: answer.dropped });
  if (answer.turnError !== undefined) recordTurnError(turn, answer.turnError);
}

function onNotification(turn: Turn, method: string, rawParams: unknown): void {
  const params = isObject(rawParams) ? rawParams : {};
  if (method === "warning" || method === "configWarning") return note(turn, "warn", asString(params.message) || asString(params.summary));
  const legacy = legacyMessage(method, rawParams);
  if (legacy !== null) turn.s.speaksLegacy = true;
  // Before the turn is armed everything is a replay of the resumed thread; other threads are sub-agents' own.
  if (turn.s.phase !== "turnArmed" || isForeign(turn, params)) return;
  if (turn.s.dialect === "unknown") {
    if (legacy !== null ? isLegacyKind(legacy) : isCurrentKind(method)) turn.s.dialect = legacy === null ? "current" : "legacy";
    else if (legacy !== null) return;
  }
  if (legacy === null && turn.s.dialect !== "legacy") onCurrent(turn, method, params);
  else if (legacy !== null && turn.s.dialect === "legacy") onLegacy(turn, legacy);
}

function isForeign(turn: Turn, params: Readonly<Record<string, unknown>>): boolean {
  const thread = asString(params.threadId) || asString(params.conversationId);
  return thread !== "" && thread !== turn.s.threadId;
}

function onTimer(turn: Turn, id: string): void {
  switch (id) {
    case TIMER.handshake:
      return onHandshakeTimeout(turn);
    case TIMER.resume:
      return retryResume(turn);
    case TIMER.firstTurn:
      return concludeFirstTurnTimeout(turn);
    case TIMER.idle:
      return concludeInactive(turn);
    case TIMER.settle:
      return concludeTurn(turn, false);
  }
}

/** The protocol's own cancel, when there is a turn to cancel; its `turn/completed` ends the run. */
function askToStop(turn: Turn): void {
  const { s } = turn;
  if (s.phase !== "turnArmed" || s.turnId === "") {
    concludeAborted(turn);
    return;
  }
  request(turn, "turn/interrupt", { threadId: s.threadId, turnId: s.turnId });
}

function onReadFailed(turn: Turn, message: string): void {
  const resuming = Object.values(turn.s.peer.pending).includes("thread/resume");
  if (resuming) return concludeFailed(turn, `codex thread/resume failed: ${message}`, { withStderr: true, resumeRejected: true });
  concludeFailed(turn, `codex stdout read error: ${message}`, { withStderr: true });
}

/** Exit code 0 means nothing: codex exits with it when it is told to end in the middle of a turn (real-agents.md 3, finding 28). */
function onExit(turn: Turn, exit: ExitFacts): void {
  const pending = Object.values(turn.s.peer.pending)[0];
  const step = turn.s.phase === "turnArmed" || pending === undefined ? "" : `${pending} failed: `;
  const input = turn.s.inputError === "" ? "" : ` (write failed: ${turn.s.inputError})`;
  concludeFailed(turn, `codex ${step}${step === "" ? "" : "codex "}process exited: ${exitText(exit)}${input}`, { withStderr: true });
}

