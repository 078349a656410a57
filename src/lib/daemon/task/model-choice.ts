import { ModelCatalog, type ProviderSpec, getProvider } from "../../agents/index.ts";
import { errorText } from "../../core/index.ts";
import type { ModelListResult } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { TaskRun } from "./run.ts";

/** What an agent is told to think with; empty = its own default. */
export interface ModelChoice {
  readonly model: string;
  readonly thinking: string;
  readonly tier: string;
}

/** One list of models a daemon and minute, however many tasks ask. */
const catalogs = new WeakMap<DaemonContext, ModelCatalog>();

type ModelEntry = NonNullable<ModelListResult["models"]>[number];

/**
 * The model, thinking level and service tier of a run (daemon.md 11.10, agents.md 9.5). The agent's own list of models is
 * read at most once, and only when there is something to check. What it does not offer is left out with a warning;
 * when it cannot be asked, everything stays as the agent's owner set it.
 */
export async function chooseModel(run: TaskRun, cwd: string, signal: AbortSignal): Promise<ModelChoice> {
  const { ctx, job, logger } = run;
  const spec = getProvider(job.provider);
  const wanted: ModelChoice = {
    model: trimmed(job.agent.model) || (ctx.config.agentModels[job.provider] ?? ""),
    thinking: trimmed(job.agent.thinking_level),
    tier: trimmed(job.agent.service_tier),
  };
  if (wanted.thinking === "" && wanted.tier === "") return wanted;
  try {
    const { path: executable, fixedArgs } = job.launch;
    const catalog = catalogs.get(ctx) ?? new ModelCatalog();
    catalogs.set(ctx, catalog);
    const listing = await catalog.list({ spec, executable, fixedArgs, env: ctx.env, cwd, clock: ctx.clock, signal });
    if (listing === null || listing.fallback) return wanted;
    return offered(spec, wanted, listing.models, (what, value) => logger.warn("the model does not offer this; left out", { what, value, model: wanted.model }));
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn("the agent's models are not known; the choice is passed on unchecked", { error: errorText(error) });
    return wanted;
  }
}

/** The choice without what the list does not have for its model; `onDropped` hears of each. */
export function offered(
  spec: Pick<ProviderSpec, "ownDefaultModel">,
  wanted: ModelChoice,
  models: readonly ModelEntry[],
  onDropped: (what: "thinking level" | "service tier", value: string) => void,
): ModelChoice {
  const entry = wanted.model === "" ? models.find((model) => model.default === true) : models.find((model) => model.id === wanted.model);
  // A list without any level does not tell them: such agents say it themselves when the session is open.
  const tellsLevels = models.some((model) => (model.thinking?.supported_levels ?? []).length > 0);
  const levels = wanted.model === "" && spec.ownDefaultModel === true ? [] : (entry?.thinking?.supported_levels ?? []);
  const tiers = wanted.model === "" ? [] : (entry?.service_tiers ?? []);
  const keepLevel = wanted.thinking === "" || !tellsLevels || levels.some(({ value }) => value === wanted.thinking);
  const keepTier = wanted.tier === "" || tiers.some(({ id }) => id === wanted.tier);
  if (!keepLevel) onDropped("thinking level", wanted.thinking);
  if (!keepTier) onDropped("service tier", wanted.tier);
  return { model: wanted.model, thinking: keepLevel ? wanted.thinking : "", tier: keepTier ? wanted.tier : "" };
}

function trimmed(text: string | null | undefined): string {
  return (text ?? "").trim();
}
