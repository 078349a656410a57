import type { AgentResult, ModelUsage, UsageMap } from "../../agents/index.ts";
import { isUnresumableHistory } from "../../core/index.ts";

export interface RetryFacts {
  /** A session of an earlier run was asked for. */
  readonly resumeRequested: boolean;
  /** Tools used in this run: work that was done must not be done twice. */
  readonly toolCount: number;
  /** The run was ended from outside: nothing may be started again. */
  readonly interrupted: boolean;
}

/**
 * True when the same work may be tried once more without the earlier session (daemon.md 11.13): the resume itself
 * failed and nothing was done yet. A provider's outage is not such a case, it would lose the conversation for nothing.
 */
export function mayRetryFresh(result: Pick<AgentResult, "status" | "error" | "resumeRejected">, facts: RetryFacts): boolean {
  if (result.status !== "failed" || !facts.resumeRequested || facts.toolCount > 0 || facts.interrupted) return false;
  return result.resumeRejected || isUnresumableHistory(result.error) || result.error.toLowerCase().includes("could not resolve authentication method");
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
