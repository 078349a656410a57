import { formatDuration } from "../../../core/index.ts";
import type { AgentStatus } from "../../contract.ts";
import type { SecondAttempt, Terminal } from "../../reducer.ts";
import { closeOpenCalls } from "./calls.ts";
import { type CodexState, finish, modelKey, type Turn } from "./state.ts";
import { usageMap } from "./usage.ts";

/** Text in codex' stderr that explains a first turn without progress. */
const CATALOG_REFRESH = "failed to refresh available models";

interface Verdict {
  readonly status: AgentStatus;
  readonly error: string;
  readonly withStderr?: boolean;
  readonly again?: SecondAttempt;
  readonly resumeRejected?: boolean;
}

function conclude(turn: Turn, verdict: Verdict): void {
  const { s } = turn;
  if (s.phase === "done") return;
  closeOpenCalls(turn);
  const terminal: Terminal = {
    status: verdict.status,
    output: s.finalAnswer || s.lastText,
    error: verdict.error,
    sessionId: s.threadId,
    usage: usageMap(s.usage, modelKey(s)),
    resumeRejected: verdict.resumeRejected ?? s.resumeRejected,
    ...(verdict.withStderr === undefined ? {} : { withStderr: verdict.withStderr }),
    ...(verdict.again === undefined ? {} : { again: verdict.again }),
  };
  finish(turn, terminal);
}

/** The run ends because we wanted it to: overrides whatever the stream says (agents.md 14.8). */
export function concludeAborted(turn: Turn): boolean {
  const { abort } = turn.s;
  if (abort === null) return false;
  if (abort.kind === "cancel") conclude(turn, { status: "aborted", error: "execution cancelled" });
  else conclude(turn, { status: "timeout", error: `codex timed out after ${formatDuration(abort.afterMs)}` });
  return true;
}

/** The turn is over by the agent's own word. */
export function concludeTurn(turn: Turn, aborted: boolean): void {
  if (concludeAborted(turn)) return;
  const { turnError } = turn.s;
  if (aborted) conclude(turn, { status: "aborted", error: turnError || "turn was aborted" });
  else if (turnError !== "") conclude(turn, { status: "failed", error: turnError });
  else conclude(turn, { status: "completed", error: "" });
}

export function concludeFailed(turn: Turn, error: string, more: { withStderr?: boolean; resumeRejected?: boolean; again?: SecondAttempt } = {}): void {
  if (!concludeAborted(turn)) conclude(turn, { status: "failed", error, ...more });
}

/** A handshake step got no answer. Only `initialize` may be tried again: nothing was asked of the agent before it. */
export function concludeStepTimeout(turn: Turn, method: string): void {
  const limit = formatDuration(turn.s.limits.handshakeMs);
  const text = `codex ${method} failed: codex app-server handshake timeout: ${method} did not respond after ${limit}`;
  if (method !== "initialize") return concludeFailed(turn, text, { withStderr: true });
  concludeFailed(turn, text, { again: { minDelayMs: 75, maxDelayMs: 125, withoutResume: false } });
}

export function concludeFirstTurnTimeout(turn: Turn): void {
  if (concludeAborted(turn)) return;
  const { s } = turn;
  conclude(turn, {
    status: "timeout",
    error:
      `codex app-server no progress timeout after ${formatDuration(s.limits.firstTurnMs)}: received turn start but no ` +
      `item, message, tool, turn/completed, or error event (${facts(s)})`,
    withStderr: true,
    again: { minDelayMs: 500, maxDelayMs: 1500, withoutResume: true, ifStderr: CATALOG_REFRESH },
  });
}

export function concludeInactive(turn: Turn): void {
  if (concludeAborted(turn)) return;
  const { s } = turn;
  conclude(turn, {
    status: "timeout",
    error: `codex semantic inactivity timeout after ${formatDuration(s.limits.semanticInactivityMs)} without agent progress (${facts(s)})`,
    withStderr: true,
  });
}

function facts(s: CodexState): string {
  const field = (name: string, value: string): string => `${name}="${value || "unknown"}"`;
  const model = s.options.model ?? "default(empty)";
  return [
    `last activity: ${s.lastActivity || "unknown"}; ${field("codex_version", s.options.cliVersion ?? "")}`,
    field("thread_id", s.threadId),
    field("turn_id", s.turnId),
    field("model", model),
  ].join(" ");
}
