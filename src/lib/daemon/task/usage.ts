import type { UsageMap } from "../../agents/index.ts";
import type { UsageRow } from "../../wire/index.ts";

/** One row a model, rows of zeros left out, cost kept where the agent told it (server-api.md 6.6). */
export function usageRows(provider: string, usage: UsageMap): UsageRow[] {
  return Object.entries(usage).flatMap(([model, one]) => {
    const tokens = {
      input_tokens: count(one.inputTokens),
      output_tokens: count(one.outputTokens),
      cache_read_tokens: count(one.cacheReadTokens),
      cache_write_tokens: count(one.cacheWriteTokens),
    };
    const cost = one.costUsdTicks === undefined ? 0 : count(one.costUsdTicks);
    if (Object.values(tokens).every((value) => value === 0) && cost === 0) return [];
    return [{ provider: provider.toLowerCase(), model, ...tokens, ...(one.costUsdTicks === undefined ? {} : { cost_usd_ticks: cost }) }];
  });
}

/** The wire takes whole, non-negative numbers; an agent may report anything. */
function count(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
