import { errorText } from "../../core/index.ts";
import type { PendingActions } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { RuntimeEntry } from "../runtimes.ts";
import { deliverResult } from "./deliver.ts";
import { type FeatureFlags, newerFlags } from "./flags.ts";
import { type ModelParts, modelListOf } from "./models.ts";
import { type SkillParts, importOf, localSkillsOf } from "./skills.ts";
import type { RequestUpdate } from "./update.ts";

export interface ActionParts extends ModelParts, SkillParts, Pick<DaemonContext, "api"> {
  readonly requestUpdate: RequestUpdate;
}

/** How long an action is remembered: a server that hands one out again gets no second run of it. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * What the server asks of a runtime in the answer to a heartbeat, on either transport (daemon.md 8.3). It hands every
 * request out once, so each is answered, however busy the daemon is; none ever delays a beat or runs twice.
 */
export class Actions {
  readonly #parts: ActionParts;
  /** Actions under way, and when finished ones may be forgotten (monotonic). */
  readonly #known = new Map<string, number>();
  #flags: FeatureFlags | null = null;

  constructor(parts: ActionParts) {
    this.#parts = parts;
  }

  /** The newest switches an older server has sent; null when there were none. */
  get flags(): FeatureFlags | null {
    return this.#flags;
  }

  /** Actions that have no answer yet. */
  get underWay(): number {
    return [...this.#known.values()].filter((until) => until === Infinity).length;
  }

  /** Starts everything an answer asks for; returns at once and never throws. */
  apply(runtimeId: string, answer: PendingActions): void {
    this.#flags = newerFlags(this.#flags, answer["feature_flags"]);
    const { api, runtimes, requestUpdate } = this.#parts;
    const { pending_update: update, pending_model_list: models, pending_local_skills: skills } = answer;
    if (update) {
      const { id, target_version: targetVersion } = update;
      const report = (result: Parameters<typeof api.updateResult>[2]): Promise<boolean> =>
        deliverResult(this.#parts, "update", (signal) => api.updateResult(runtimeId, id, result, { signal }));
      this.#start("update", id, () => requestUpdate({ runtimeId, id, targetVersion, report }));
    }
    const runtime = runtimes.get(runtimeId);
    // The server's own time limit answers for a runtime we no longer have.
    if (runtime === undefined) return;
    if (models) this.#start("model list", models.id, () => this.#models(runtime, models.id));
    if (skills) this.#start("local skills", skills.id, () => this.#skills(runtime, skills.id));
    const imports = answer.pending_local_skill_imports ?? (answer.pending_local_skill_import ? [answer.pending_local_skill_import] : []);
    for (const one of imports) this.#start("skill import", one.id, () => this.#import(runtime, one.id, one.skill_key));
  }

  #start(what: string, id: string, run: () => Promise<unknown>): void {
    const { clock, logger, rootSignal } = this.#parts;
    const now = clock.monotonic();
    for (const [key, until] of this.#known) if (until < now) this.#known.delete(key);
    const key = `${what} ${id}`;
    if (id === "" || rootSignal.aborted || this.#known.has(key)) return;
    this.#known.set(key, Infinity);
    logger.info("the server asks for something", { what, id });
    run()
      .catch((error: unknown) => logger.error("an action failed", { what, id, error: errorText(error) }))
      .finally(() => this.#known.set(key, clock.monotonic() + REMEMBERED_MS));
  }

  async #models(runtime: RuntimeEntry, id: string): Promise<void> {
    const result = await modelListOf(this.#parts, runtime);
    await deliverResult(this.#parts, "model list", (signal) => this.#parts.api.modelListResult(runtime.id, id, result, { signal }));
  }

  async #skills(runtime: RuntimeEntry, id: string): Promise<void> {
    const result = await localSkillsOf(this.#parts, runtime);
    await deliverResult(this.#parts, "local skills", (signal) => this.#parts.api.localSkillsResult(runtime.id, id, result, { signal }));
  }

  async #import(runtime: RuntimeEntry, id: string, key: string): Promise<void> {
    const result = await importOf(this.#parts, runtime, key);
    await deliverResult(this.#parts, "skill import", (signal) => this.#parts.api.skillImportResult(runtime.id, id, result, { signal }));
  }
}
