import type { CancelNotification } from "@agentclientprotocol/sdk";
import type { RunOptions } from "../../contract.ts";
import { METHOD_NOT_FOUND, type RpcIncoming, type RpcOutcome, rpcReceive, rpcRefusal, rpcReply } from "../../jsonrpc/peer.ts";
import type { AgentEvent, AgentReducer, Step } from "../../reducer.ts";
import { EFFORT_METHOD, chooseEffort, onHandshakeTimeout, onInitialized, onSession, sendPrompt, startHandshake } from "./handshake.ts";
import { LABEL, concludeAborted, concludeExit, concludeFailed, concludeRefused, concludeTurn, promptAnswered } from "./outcome.ts";
import { answerPermission } from "./permissions.ts";
import { optionValue } from "./session-options.ts";
import { sniff } from "./sniffer.ts";
import { type AcpState, TIMER, type Turn, begin, end, initialState, log, note, notify } from "./state.ts";
import { noteCall } from "./tool-calls.ts";
import { onUpdate } from "./updates.ts";

const INTERNAL_ERROR = -32_603;

/** Any agent that speaks the Agent Client Protocol over stdio (agents.md 15, real-agents.md 6). */
export const acpReducer: AgentReducer<AcpState> = {
  init(options: RunOptions): Step<AcpState> {
    const turn = begin(initialState(options));
    startHandshake(turn);
    return end(turn);
  },

  step(state: AcpState, event: AgentEvent): Step<AcpState> {
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
      else turn.s.sniffer = sniff(turn.s.sniffer, event.line);
      return;
    case "timer":
      if (event.id === TIMER.handshake) return onHandshakeTimeout(turn);
      return concludeTurn(turn);
    case "abort":
      turn.s.abort ??= event.reason;
      return askToStop(turn);
    case "expire":
      return concludeAborted(turn);
    case "inputFailed":
      // The exit that follows decides; a process may stop reading after its last word.
      turn.s.inputError = event.message;
      return;
    case "readFailed":
      return concludeFailed(turn, `${LABEL} stdout read error: ${event.message}`);
    case "exit":
      return concludeExit(turn, event.exit);
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
      if (incoming.method === "session/update" || incoming.method === "session/notification") onUpdate(turn, incoming.params);
  }
}

function onResponse(turn: Turn, method: string, outcome: RpcOutcome): void {
  // The model may be an option too: it is the first one that is set, and only that one may fail the run.
  const isEffort = method === EFFORT_METHOD && turn.s.effortAsked;
  if (isEffort) return onEffort(turn, outcome);
  if (!outcome.ok) return concludeRefused(turn, method, outcome.error);
  switch (method) {
    case "initialize":
      return onInitialized(turn, outcome.result);
    case "session/new":
    case "session/resume":
    case "session/load":
      return onSession(turn, method, outcome.result);
    case "session/set_model":
    case EFFORT_METHOD:
      return chooseEffort(turn);
    case "session/prompt":
      return promptAnswered(turn, outcome.result);
  }
}

/** The effort never fails a task (agents.md 15.5). */
function onEffort(turn: Turn, outcome: RpcOutcome): void {
  const level = turn.s.options.thinkingLevel;
  const value = outcome.ok ? optionValue(outcome.result, ["effort", "thought_level"]) : "";
  if (!outcome.ok) note(turn, "warn", "the agent refused the thinking level");
  else if (value !== "" && value !== level) note(turn, "warn", `the agent set the thinking level to ${value}`);
  sendPrompt(turn);
}

function onRequest(turn: Turn, incoming: Extract<RpcIncoming, { type: "request" }>): void {
  const { id, method, params } = incoming;
  if (method !== "session/request_permission") {
    turn.effects.push({ type: "write", line: rpcRefusal(id, METHOD_NOT_FOUND, `method not found: ${method}`) });
    return;
  }
  if (turn.s.phase === "prompt") noteCall(turn, (params as { toolCall?: unknown } | null | undefined)?.toolCall);
  const answer = answerPermission(params, turn.s.abort !== null);
  if (answer.type === "answer" && answer.rejected) log(turn, "warn", "the agent offered no way to allow what it asked for");
  const line = answer.type === "answer" ? rpcReply(id, answer.result) : rpcRefusal(id, INTERNAL_ERROR, answer.message);
  turn.effects.push({ type: "write", line });
}

/** The protocol's own cancel, when there is a prompt to cancel: its answer ends the run. */
function askToStop(turn: Turn): void {
  if (turn.s.phase !== "prompt") return concludeAborted(turn);
  const params: CancelNotification = { sessionId: turn.s.sessionId };
  notify(turn, "session/cancel", params);
}
