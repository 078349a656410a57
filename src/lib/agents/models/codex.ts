import { asString, isObject } from "../../core/index.ts";
import type { ModelEntry } from "../../wire/index.ts";
import { converse } from "./conversation.ts";
import { type ModelLister, levelLabel } from "./types.ts";

const TIMEOUT_MS = 15_000;
const CLIENT = { name: "multica-model-discovery", title: "Multica model discovery", version: "0.1.0" };
/** More pages than any catalog has: an agent that repeats its cursor must not keep us. */
const MOST_PAGES = 20;

/** Codex is asked through its app-server; one that cannot be asked has the list below, marked as such. */
export const codexModels: ModelLister = async (probe) => {
  try {
    const models = await converse({ ...probe, args: ["app-server", "--listen", "stdio://"], firstId: 1, timeoutMs: TIMEOUT_MS }, async (talk) => {
      await talk.ask("initialize", { clientInfo: CLIENT, capabilities: { experimentalApi: true } });
      talk.tell("initialized");
      const found: ModelEntry[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const answer = await talk.ask("model/list", cursor === undefined ? {} : { cursor });
        const { data, nextCursor } = isObject(answer) ? answer : {};
        if (Array.isArray(data)) found.push(...data.filter(isObject).flatMap(entryOf));
        if (typeof nextCursor !== "string" || nextCursor === "" || nextCursor === cursor) break;
        cursor = nextCursor;
      }
      return found;
    });
    if (models.length > 0) return { models, fallback: false };
  } catch (error) {
    probe.signal.throwIfAborted();
    if (FALLBACK.length === 0) throw error;
  }
  return { models: FALLBACK, fallback: true };
};

function entryOf(model: Readonly<Record<string, unknown>>): ModelEntry[] {
  const id = asString(model.model) || asString(model.id);
  if (id === "" || model.hidden === true) return [];
  const levels = listOf(model.supportedReasoningEfforts).flatMap((level) => {
    const value = asString(level.reasoningEffort);
    return value === "" ? [] : [{ value, label: levelLabel(value), ...described(level) }];
  });
  const tiers = listOf(model.serviceTiers).flatMap((tier) => {
    const tierId = asString(tier.id);
    return tierId === "" ? [] : [{ id: tierId, name: asString(tier.name) || tierId, ...described(tier) }];
  });
  const level = asString(model.defaultReasoningEffort);
  return [
    {
      id,
      label: asString(model.displayName) || id,
      provider: "openai",
      ...(model.isDefault === true ? { default: true } : {}),
      ...(levels.length === 0 ? {} : { thinking: { supported_levels: levels, ...(level === "" ? {} : { default_level: level }) } }),
      ...(tiers.length === 0 ? {} : { service_tiers: tiers }),
    },
  ];
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function described(entry: Readonly<Record<string, unknown>>): { description?: string } {
  const description = asString(entry.description);
  return description === "" ? {} : { description };
}

/** What Codex had when this was written (agents.md 9.3): better than an empty selector. The first is the default. */
const FALLBACK: readonly ModelEntry[] = [
  ["gpt-5.6-sol", "GPT-5.6 Sol", ["max", "ultra"], "low"],
  ["gpt-5.6-terra", "GPT-5.6 Terra", ["max", "ultra"], "medium"],
  ["gpt-5.6-luna", "GPT-5.6 Luna", ["max"], "medium"],
  ...["gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex", "gpt-5.2"].map((id) => [id, id, [], "medium"] as const),
].map(([id, label, more, level], index) => ({
  id: String(id),
  label: String(label),
  provider: "openai",
  ...(index === 0 ? { default: true } : {}),
  thinking: {
    supported_levels: ["low", "medium", "high", "xhigh", ...more].map((value) => ({ value, label: levelLabel(value) })),
    default_level: String(level),
  },
}));
