import { classifyFailure, formatDuration, giveUpReason, isPoisonedError } from "../../core/index.ts";

/** How a run ended, in the words of its causes: the agent's own result, or why there is none (daemon.md 11.11, 11.14). */
export interface RunEnd {
  /** What the agent's adapter said, `idle_watchdog` or `cancelled` when we ended it, or a word we do not know. */
  readonly status: string;
  readonly output: string;
  readonly error: string;
}

export interface SettleFacts {
  readonly provider: string;
  /** The daemon shuts down, and nobody cancelled the task. */
  readonly shuttingDown: boolean;
  /** Wall clock limit of a run; 0 = none. */
  readonly timeoutMs: number;
}

export type Outcome =
  | { readonly kind: "completed"; readonly output: string }
  | { readonly kind: "failed"; readonly reason: string; readonly error: string; readonly retirePriorSession?: boolean };

export const SHUTDOWN_TEXT = "daemon shut down while the task was running";
const CANCELLED_TEXT = "task cancelled by server";

const CODEX_INACTIVITY = ["codex semantic inactivity timeout", "codex app-server no progress timeout"];

/**
 * The one place that decides what came of a run (daemon.md 11.14). Fail closed: only the status `completed`, with an
 * output that is no give-up notice, is a success; every other word, known or not, is a failure.
 * What tools did before plays no part.
 */
export function settle(end: RunEnd, facts: SettleFacts): Outcome {
  switch (end.status) {
    case "completed": {
      const reason = giveUpReason(end.output);
      if (reason === undefined) return { kind: "completed", output: end.output };
      return { kind: "failed", reason, error: end.output.trim() };
    }
    case "timeout": {
      const text = end.error.trim() || `${facts.provider} timed out after ${formatDuration(facts.timeoutMs)}`;
      const inactive = CODEX_INACTIVITY.some((marker) => text.toLowerCase().includes(marker));
      return { kind: "failed", reason: inactive ? "codex_semantic_inactivity" : "timeout", error: text };
    }
    case "idle_watchdog":
      return { kind: "failed", reason: "idle_watchdog", error: end.error.trim() || `${facts.provider} was stopped by the idle watchdog` };
    case "cancelled":
      if (facts.shuttingDown) return interrupted();
      return { kind: "failed", reason: "cancelled", error: CANCELLED_TEXT };
    default:
      return failed(end, facts);
  }
}

function failed(end: RunEnd, facts: SettleFacts): Outcome {
  if (facts.shuttingDown && end.status === "aborted") return interrupted();
  const error = end.error.trim() || `${facts.provider} execution ${end.status}`;
  if (isPoisonedError(error)) return { kind: "failed", reason: "api_invalid_request", error };
  if (isResumeOversized(error)) return { kind: "failed", reason: "codex_resume_oversized", error, retirePriorSession: true };
  return { kind: "failed", reason: classifyFailure(error), error };
}

/** The recorded conversation is longer than one line of the protocol may be: it can never be loaded again. */
function isResumeOversized(error: string): boolean {
  const text = error.toLowerCase();
  return text.includes("thread/resume failed") && text.includes("token too long");
}

function interrupted(): Outcome {
  return { kind: "failed", reason: "runtime_recovery", error: SHUTDOWN_TEXT };
}
