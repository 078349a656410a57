import { asNumber, isObject } from "../../../core/index.ts";
import type { UsageMap } from "../../contract.ts";

interface Tokens {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
}

/** Tokens of this turn so far, and the thread's total they were last counted at. */
export interface UsageCount extends Tokens {
  readonly lastTotal: string;
}

export const emptyUsage: UsageCount = { input: 0, cached: 0, cacheWrite: 0, output: 0, lastTotal: "" };

/**
 * Adds `.last` of one token report. The total is the whole thread's, over resumes, so it is no measure of this turn;
 * but 0.100.0 repeats the report before with each change of the rate limits: a total seen before is counted once, and
 * `repeatsFirst` (a thread resumed there) says that the first one of the turn is such a repetition.
 */
export function addReport(count: UsageCount, report: unknown, repeatsFirst: boolean): UsageCount {
  if (!isObject(report)) return count;
  const rawLast = report.last ?? report.last_token_usage;
  const last = readTokens(rawLast);
  const total = JSON.stringify(report.total ?? report.total_token_usage ?? null);
  if (last === null || (total !== "null" && total === count.lastTotal)) return count;
  if (repeatsFirst && count.lastTotal === "" && total !== JSON.stringify(rawLast)) return rememberTotal(count, report);
  return { ...sum(count, last), lastTotal: total };
}

/** Remembers a replayed total (another turn's) without counting it. */
export function rememberTotal(count: UsageCount, report: unknown): UsageCount {
  if (!isObject(report)) return count;
  return { ...count, lastTotal: JSON.stringify(report.total ?? report.total_token_usage ?? null) };
}

/** Adds what a finished turn itself carries, when no report was counted (agents.md 14.11). */
export function addTurnUsage(count: UsageCount, turn: Readonly<Record<string, unknown>>): UsageCount {
  if (count.input > 0 || count.output > 0) return count;
  const tokens = readTokens(turn.usage ?? turn.token_usage ?? turn.tokens);
  return tokens === null ? count : { ...sum(count, tokens), lastTotal: count.lastTotal };
}

/** The result's map: uncached input apart from cache reads; empty when nothing was counted. */
export function usageMap(count: UsageCount, model: string): UsageMap {
  if (count.input + count.output + count.cached + count.cacheWrite === 0) return {};
  return {
    [model]: {
      inputTokens: Math.max(0, count.input - count.cached),
      outputTokens: count.output,
      cacheReadTokens: count.cached,
      cacheWriteTokens: count.cacheWrite,
    },
  };
}

function sum(a: Tokens, b: Tokens): Tokens {
  return { input: a.input + b.input, cached: a.cached + b.cached, cacheWrite: a.cacheWrite + b.cacheWrite, output: a.output + b.output };
}

function readTokens(value: unknown): Tokens | null {
  if (!isObject(value)) return null;
  const first = (...names: string[]): number => {
    for (const name of names) {
      const found = asNumber(value[name]);
      if (found !== undefined) return Math.max(0, found);
    }
    return 0;
  };
  return {
    input: first("inputTokens", "input_tokens", "input", "prompt_tokens"),
    cached: first("cachedInputTokens", "cached_input_tokens", "cache_read_tokens", "cache_read_input_tokens"),
    cacheWrite: first("cacheWriteInputTokens", "cache_write_tokens", "cache_creation_input_tokens"),
    output: first("outputTokens", "output_tokens", "output", "completion_tokens"),
  };
}
