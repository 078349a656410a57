import { isResumeUnsafeReason } from "./resume.ts";

const RETRYABLE: ReadonlySet<string> = new Set([
  "runtime_offline",
  "runtime_recovery",
  "timeout",
  "codex_semantic_inactivity",
  "agent_error.provider_network",
  "skill_bundle_unavailable",
]);

const NETWORK = "agent_error.provider_network";
const NETWORK_ATTEMPTS = 3;

/** Before the last attempt at a network that failed twice. */
const NETWORK_DELAY_MS = 5000;
/** A task whose runtime went away waits until it is back; this only keeps it out of the claim of the same instant. */
const OFFLINE_DELAY_MS = 1000;

/** What the decision needs to know about the failed task and its agent. */
export interface RetryFacts {
  readonly reason: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly issueId: string | null;
  readonly chatSessionId: string | null;
  readonly autopilotRunId: string | null;
  readonly agentRuntimeId: string | null;
  readonly agentArchived: boolean;
}

export type RetryDecision =
  | { readonly kind: "none"; readonly why: "reason" | "budget" | "not_repeatable" | "agent" }
  | { readonly kind: "retry"; readonly attempt: number; readonly fresh: boolean; /** 0: at once. */ readonly delayMs: number };

/**
 * Whether a failed task gets a child that tries again, and whether that child must begin a new agent session
 * (server-api.md 11.6; network failures get a third attempt, a limit of 1 turns retries off altogether).
 */
export function decideRetry(facts: RetryFacts): RetryDecision {
  if (!RETRYABLE.has(facts.reason)) return { kind: "none", why: "reason" };
  if (facts.autopilotRunId !== null || (facts.issueId === null && facts.chatSessionId === null)) {
    return { kind: "none", why: "not_repeatable" };
  }
  if (facts.attempt >= budget(facts)) return { kind: "none", why: "budget" };
  if (facts.agentRuntimeId === null || facts.agentArchived) return { kind: "none", why: "agent" };
  return { kind: "retry", attempt: facts.attempt + 1, fresh: isResumeUnsafeReason(facts.reason), delayMs: delay(facts) };
}

function delay(facts: RetryFacts): number {
  if (facts.reason === "runtime_offline") return OFFLINE_DELAY_MS;
  return facts.reason === NETWORK && facts.attempt + 1 >= NETWORK_ATTEMPTS ? NETWORK_DELAY_MS : 0;
}

function budget(facts: RetryFacts): number {
  if (facts.maxAttempts <= 1 || facts.reason !== NETWORK) return facts.maxAttempts;
  return Math.max(facts.maxAttempts, NETWORK_ATTEMPTS);
}
