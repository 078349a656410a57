import { isObject } from "../../../core/index.ts";
import type { ModelUsage, UsageMap } from "../../contract.ts";

interface Figures {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly cost: number;
  readonly total: number;
  /** The input was reduced by the cache hits that it had included. */
  readonly normalised: boolean;
}

/** What a run has reported so far: cumulative figures, the sum of single steps, and figures per model. */
export interface UsageCount {
  readonly cumulative: readonly Figures[];
  readonly steps: readonly Figures[];
  readonly models: UsageMap;
}

export const emptyUsage: UsageCount = { cumulative: [], steps: [], models: {} };

const ALIASES = {
  input: ["inputTokens", "input_tokens"],
  output: ["outputTokens", "output_tokens"],
  cacheRead: ["cachedReadTokens", "cacheReadTokens", "cached_input_tokens", "cache_read_tokens", "cache_read_input_tokens"],
  cacheWrite: ["cachedWriteTokens", "cacheWriteTokens", "cache_write_tokens", "cache_creation_input_tokens"],
  cost: ["costUsdTicks", "cost_usd_ticks"],
  total: ["totalTokens", "total_tokens"],
} as const;

/** A `usage_update` with figures; the usual one only tells the size of the context (real-agents.md 6). */
export function addCumulative(count: UsageCount, raw: unknown): UsageCount {
  const figures = read([raw]);
  return figures === null ? count : { ...count, cumulative: [...count.cumulative, figures] };
}

/** `_meta.usage` of a message: what one model call took. */
export function addStep(count: UsageCount, raw: unknown): UsageCount {
  const figures = read([raw]);
  return figures === null ? count : { ...count, steps: [...count.steps, figures] };
}

/** The answer to the prompt: `usage`, completed by `_meta.usage` and `_meta`; `_meta.quota` counts per model. */
export function addPromptResult(count: UsageCount, result: Readonly<Record<string, unknown>>): UsageCount {
  const meta = isObject(result._meta) ? result._meta : {};
  const figures = read([result.usage, meta.usage, meta]);
  const models = quotaModels(meta.quota);
  const cumulative = figures === null ? count.cumulative : [...count.cumulative, figures];
  return { ...count, cumulative, models: { ...count.models, ...models } };
}

/** Usage by model; empty when nothing was reported. */
export function usageMap(count: UsageCount, model: string): UsageMap {
  const figures = count.cumulative.length > 0 ? merge(count.cumulative) : sum(count.steps);
  if (figures === null || isEmpty(figures)) return count.models;
  return { [model]: toUsage(figures) };
}

export function hasUsage(count: UsageCount): boolean {
  return Object.keys(usageMap(count, "any")).length > 0;
}

/** Each figure from the first source that has it; cost is the largest. */
function read(sources: readonly unknown[]): Figures | null {
  const objects = sources.filter(isObject);
  const first = (names: readonly string[]): number =>
    objects.map((source) => numberOf(names.map((name) => source[name]))).find((value) => value > 0) ?? 0;
  const cost = Math.max(0, ...objects.map((source) => numberOf(ALIASES.cost.map((name) => source[name]))));
  const figures = {
    input: first(ALIASES.input),
    output: first(ALIASES.output),
    cacheRead: first(ALIASES.cacheRead),
    cacheWrite: first(ALIASES.cacheWrite),
    cost,
    total: first(ALIASES.total),
    normalised: false,
  };
  return isEmpty(figures) ? null : normalise(figures);
}

/** A total that is exactly input + output shows that the input counts the cache hits too. */
function normalise(figures: Figures): Figures {
  const { input, output, cacheRead, total } = figures;
  const inclusive = cacheRead > 0 && cacheRead <= input && total > 0 && total === input + output;
  return inclusive ? { ...figures, input: input - cacheRead, normalised: true } : figures;
}

/** Reports are cumulative: the largest figure counts; of the inputs a later, larger one outranks an early normalised one. */
function merge(all: readonly Figures[]): Figures {
  const most = (pick: (figures: Figures) => number): number => Math.max(0, ...all.map(pick));
  const output = most((figures) => figures.output);
  const plain = Math.max(0, ...all.filter((figures) => !figures.normalised).map((figures) => figures.input));
  const best = all.filter((figures) => figures.normalised).sort((a, b) => b.total - a.total || b.input - a.input)[0];
  const input = best !== undefined && (plain === 0 || best.total >= plain + output) ? best.input : plain;
  return {
    input,
    output,
    cacheRead: most((figures) => figures.cacheRead),
    cacheWrite: most((figures) => figures.cacheWrite),
    cost: most((figures) => figures.cost),
    total: 0,
    normalised: false,
  };
}

function sum(all: readonly Figures[]): Figures | null {
  if (all.length === 0) return null;
  const add = (pick: (figures: Figures) => number): number => all.reduce((total, figures) => total + pick(figures), 0);
  return {
    input: add((figures) => figures.input),
    output: add((figures) => figures.output),
    cacheRead: add((figures) => figures.cacheRead),
    cacheWrite: add((figures) => figures.cacheWrite),
    cost: add((figures) => figures.cost),
    total: 0,
    normalised: false,
  };
}

function quotaModels(quota: unknown): UsageMap {
  const rows = isObject(quota) && Array.isArray(quota.model_usage) ? quota.model_usage : [];
  const models: Record<string, ModelUsage> = {};
  for (const row of rows) {
    if (!isObject(row) || typeof row.model !== "string") continue;
    const figures = read([row.token_count]);
    if (figures !== null) models[row.model] = toUsage(figures);
  }
  return models;
}

function isEmpty(figures: Figures): boolean {
  return figures.input + figures.output + figures.cacheRead + figures.cacheWrite + figures.cost === 0;
}

function toUsage(figures: Figures): ModelUsage {
  const { input, output, cacheRead, cacheWrite, cost } = figures;
  const tokens = { inputTokens: input, outputTokens: output, cacheReadTokens: cacheRead, cacheWriteTokens: cacheWrite };
  return cost > 0 ? { ...tokens, costUsdTicks: Math.round(cost) } : tokens;
}

/** The first usable figure: a number or a numeric text, not negative. */
function numberOf(values: readonly unknown[]): number {
  for (const value of values) {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number) && number >= 0) return Math.round(number);
  }
  return 0;
}
