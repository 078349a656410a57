import type { ProviderSpec } from "../provider.ts";
import { planPrefix } from "../launch/plan.ts";
import { agentEnvironment } from "../launch/environment.ts";
import type { ModelListing, ModelProbe } from "./types.ts";

const KEPT_MS = 60_000;

export interface ModelRequest extends Omit<ModelProbe, "prefix"> {
  readonly spec: ProviderSpec;
  /** A profile's own arguments, as the server delivers them. */
  readonly fixedArgs: readonly string[];
}

/** Lists of models, kept for a minute by what was asked; empty ones and our own are asked for again (agents.md 9.2). */
export class ModelCatalog {
  readonly #kept = new Map<string, { readonly listing: ModelListing; readonly at: number }>();
  readonly #asking = new Map<string, Promise<ModelListing>>();

  /** Null: this provider takes no choice of model. Throws when the agent cannot be asked and there is no list of our own. */
  async list(request: ModelRequest): Promise<ModelListing | null> {
    const { spec, clock, executable } = request;
    if (spec.models === null) return null;
    const prefix = planPrefix(spec, request.fixedArgs, request.env);
    const key = JSON.stringify([spec.id, executable, prefix]);
    const known = this.#kept.get(key);
    if (known !== undefined && clock.monotonic() - known.at < KEPT_MS) return known.listing;
    const running = this.#asking.get(key);
    if (running !== undefined) return running;
    const env = { ...agentEnvironment({ inherited: request.env, provider: spec.env, task: {} }) };
    const asking = spec.models({ ...request, prefix, env }).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    const listing = await asking;
    if (listing.models.length > 0 && !listing.fallback) this.#kept.set(key, { listing, at: clock.monotonic() });
    return listing;
  }
}
