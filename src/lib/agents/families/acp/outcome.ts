import { asString, formatDuration, isObject } from "../../../core/index.ts";
import type { AgentStatus, ExitFacts } from "../../contract.ts";
import { exitText } from "../../contract.ts";
import { type RpcError, rpcErrorText } from "../../jsonrpc/peer.ts";
import { sniffedError } from "./sniffer.ts";
import { type AcpState, TIMER, type Turn, finish, pendingMethod } from "./state.ts";
import { closeCalls } from "./tool-calls.ts";
import { addPromptResult, hasUsage, usageMap } from "./usage.ts";

/** The provider's word in error texts. */
export const LABEL = "acp";

const LATE_MS = 2000;
/** How long a silence ends the wait for late notifications. */
export const QUIET_MS = 250;

interface Verdict {
  readonly status: AgentStatus;
  readonly error: string;
  readonly withStderr?: boolean;
  readonly resumeRejected?: boolean;
}

function conclude(turn: Turn, verdict: Verdict): void {
  const { s } = turn;
  if (s.phase === "done") return;
  closeCalls(turn);
  finish(turn, {
    status: verdict.status,
    output: answer(s),
    error: verdict.error,
    sessionId: verdict.resumeRejected === true ? "" : s.sessionId,
    usage: usageMap(s.usage, modelKey(s)),
    resumeRejected: verdict.resumeRejected ?? false,
    ...(verdict.withStderr === undefined ? {} : { withStderr: verdict.withStderr }),
  });
}

/** The prompt was answered: late notifications are waited for, until a silence or the limit (agents.md 15.1). */
export function promptAnswered(turn: Turn, result: unknown): void {
  if (turn.s.phase !== "prompt") return;
  const answered = isObject(result) ? result : {};
  turn.s.usage = addPromptResult(turn.s.usage, answered);
  turn.s.stopReason = asString(answered.stopReason) || asString(answered.stop_reason);
  if (turn.s.abort !== null) return concludeAborted(turn);
  turn.s.phase = "settling";
  turn.effects.push({ type: "setTimer", id: TIMER.quiet, ms: QUIET_MS }, { type: "setTimer", id: TIMER.late, ms: LATE_MS });
}

/** The verdict of a turn whose prompt was answered. */
export function concludeTurn(turn: Turn): void {
  const { s } = turn;
  if (s.stopReason === "") return conclude(turn, failed(`${LABEL} session/prompt returned no stop reason`));
  if (s.stopReason === "cancelled") return conclude(turn, { status: "aborted", error: `${LABEL} cancelled the prompt` });
  const error = hiddenFailure(s);
  conclude(turn, error === undefined ? { status: "completed", error: "" } : failed(error));
}

/** A failure that the protocol called a success. */
function hiddenFailure(state: AcpState): string | undefined {
  const output = answer(state);
  const sniffed = sniffedError(state.sniffer, LABEL);
  if (state.sniffer.terminal && sniffed !== undefined) return sniffed;
  const gaveUp = /API call failed after \d+ retr(?:y|ies)[^\n]*/.exec(output)?.[0];
  if (gaveUp !== undefined) return sniffed ?? `${LABEL} provider error: ${gaveUp}`;
  if (output.trim() === "" && sniffed !== undefined) return sniffed;
  // Some agents put the failed model call into the conversation and end the turn as usual: then no tokens were counted.
  return !hasUsage(state.usage) && isProviderError(state.lastChunk) ? `${LABEL} provider error: ${state.lastChunk.trim()}` : undefined;
}

/** `Error: … 401 …` in the first line, or a message that begins with the status (real-agents.md 3, finding 26). */
function isProviderError(text: string): boolean {
  const line = text.trim().split("\n")[0] ?? "";
  return /^Error: .*(?<!\d)[45]\d\d(?!\d)/.test(line) || /^[45]\d\d [A-Z]/.test(line);
}

/** The agent refused a request. At the resume itself every refusal but a missing sign-in means: not this session again. */
export function concludeRefused(turn: Turn, method: string, error: RpcError): void {
  const text = rpcErrorText("", error, true).replace(/^: /, "");
  if (turn.s.abort !== null) return concludeAborted(turn);
  if (method === "session/resume" || method === "session/load") {
    return conclude(turn, { ...failed(`${LABEL} ${method} failed: ${text}`), resumeRejected: error.code !== AUTH_REQUIRED });
  }
  const lost = turn.s.resumed && isSessionLost(error);
  const switching = method === "session/set_model" || method === "session/set_config_option";
  const what = switching ? `could not switch to model "${turn.s.options.model ?? ""}"` : `${method} failed`;
  conclude(turn, { ...failed(`${LABEL} ${what}: ${text}`), resumeRejected: lost });
}

const AUTH_REQUIRED = -32_000;
const LOST_CODES = new Set([-32_603, -32_602, -32_002]);

function isSessionLost(error: RpcError): boolean {
  const text = `${error.message} ${JSON.stringify(error.data ?? "")}`.toLowerCase();
  return LOST_CODES.has(error.code) && ["session not found", "no session found", "unknown session"].some((needle) => text.includes(needle));
}

export function concludeAborted(turn: Turn): void {
  const reason = turn.s.abort;
  if (reason?.kind === "deadline") {
    return conclude(turn, { status: "timeout", error: `${LABEL} timed out after ${formatDuration(reason.afterMs)}` });
  }
  conclude(turn, { status: "aborted", error: "execution cancelled" });
}

export function concludeFailed(turn: Turn, text: string): void {
  conclude(turn, failed(text));
}

export function concludeExit(turn: Turn, exit: ExitFacts): void {
  if (turn.s.phase === "settling") return concludeTurn(turn);
  if (turn.s.abort !== null) return concludeAborted(turn);
  const step = pendingMethod(turn.s);
  const input = turn.s.inputError === "" ? "" : ` (write failed: ${turn.s.inputError})`;
  conclude(turn, failed(`${LABEL} ${step === "" ? "" : `${step} failed: ${LABEL} `}process exited: ${exitText(exit)}${input}`));
}

function failed(error: string): Verdict {
  return { status: "failed", error, withStderr: true };
}

function answer(state: AcpState): string {
  return state.text.trim() === "" ? state.earlierText : state.text;
}

function modelKey(state: AcpState): string {
  return state.options.model ?? (state.sessionModel || "unknown");
}
