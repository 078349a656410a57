import type { AgentResult, ModelUsage, UsageMap } from "../../agents/index.ts";
import { classifyFailure, isUnresumableHistory } from "../../core/index.ts";

export interface RetryFacts {
  /** A session of an earlier run was asked for. */
  readonly resumeRequested: boolean;
  /** Tools used in this run: work that was done must not be done twice. */
  readonly toolCount: number;
  /** The run was ended from outside: nothing may be started again. */
  readonly interrupted: boolean;
  /** The agent cannot say that it refused to resume: a failure without a session may be that. */
  readonly silentResume: boolean;
}

/** Failures that have another cause than the session for certain: a repetition would lose the conversation for nothing. */
const NOT_THE_SESSION: ReadonlySet<string> = new Set(
  [
    "provider_network",
    "provider_capacity_or_rate_limit",
    "provider_quota_limit",
    "provider_server_error",
    "provider_auth_or_access",
    "missing_config",
    "model_not_found_or_unavailable",
    "runtime_missing_executable",
    "runtime_version_unsupported",
    "agent_timeout",
  ].map((detail) => `agent_error.${detail}`),
);

/**
 * True when the same work may be tried once more without the earlier session (daemon.md 11.13): the resume itself
 * failed and nothing was done yet. A provider's outage is not such a case, it would lose the conversation for nothing.
 */
export function mayRetryFresh(result: Pick<AgentResult, "status" | "error" | "resumeRejected" | "sessionId">, facts: RetryFacts): boolean {
  if (result.status !== "failed" || !facts.resumeRequested || facts.toolCount > 0 || facts.interrupted) return false;
  if (result.resumeRejected || isUnresumableHistory(result.error) || result.error.toLowerCase().includes("could not resolve authentication method")) return true;
  return facts.silentResume && result.sessionId === "" && !NOT_THE_SESSION.has(classifyFailure(result.error));
}

/** Which of two attempts stands: the second if it got anywhere, else the first, whose error is the more telling one. */
export function standing<T extends Pick<AgentResult, "status" | "sessionId">>(first: T, second: T): T {
  return second.sessionId !== "" || second.status === "completed" ? second : first;
}

/** Usage of both attempts per model: it was spent, whichever result stands. */
export function addUsage(left: UsageMap, right: UsageMap): UsageMap {
  const sum: Record<string, ModelUsage> = { ...left };
  for (const [model, usage] of Object.entries(right)) {
    const before = sum[model];
    sum[model] = before === undefined ? usage : addModel(before, usage);
  }
  return sum;
}

function addModel(left: ModelUsage, right: ModelUsage): ModelUsage {
  const cost = (left.costUsdTicks ?? 0) + (right.costUsdTicks ?? 0);
  const known = left.costUsdTicks !== undefined || right.costUsdTicks !== undefined;
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    cacheReadTokens: left.cacheReadTokens + right.cacheReadTokens,
    cacheWriteTokens: left.cacheWriteTokens + right.cacheWriteTokens,
    ...(known ? { costUsdTicks: cost } : {}),
  };
}
