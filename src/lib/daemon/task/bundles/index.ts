import { KeyedMutex, errorText } from "../../../core/index.ts";
import type { SkillFact } from "../../../execenv/index.ts";
import { type TaskAgent, skillRefSchema } from "../../../wire/index.ts";
import { taskFailure } from "../failure.ts";
import type { TaskRun } from "../run.ts";
import { type Bundle, type WantedSkill, skillFact, wantedSkill } from "./bundle.ts";
import { type BundleCache, bundleCache } from "./cache.ts";
import { fetchBundle } from "./fetch.ts";

/** Tasks that want the same bundle at the same time fetch it once. */
const fetching = new KeyedMutex();

/**
 * The skills that the agent's references stand for, in their order; null: the claim brought no references
 * (daemon.md 11.7). Each one fetched is kept at once, so that a task that ends here leaves the next one less to do.
 * Rejects with the reason `skill_bundle_unavailable`.
 */
export async function resolveSkills(run: TaskRun, signal: AbortSignal): Promise<SkillFact[] | null> {
  const { ctx, task, logger } = run;
  const refs = run.job.agent.skill_refs ?? [];
  if (refs.length === 0) return null;
  const cache = bundleCache({
    workspacesRoot: ctx.config.workspacesRoot,
    workspaceId: task.workspace_id,
    onDamage: (path, error) => logger.warn("a cached skill bundle is given up", { path, error: errorText(error) }),
  });
  const skills: SkillFact[] = [];
  for (const wanted of refs.map(readRef)) {
    const key = [ctx.config.workspacesRoot, task.workspace_id, wanted.source, wanted.id, wanted.hash].join("\0");
    skills.push(skillFact(await fetching.run(key, () => obtain(run, cache, wanted, signal), { signal })));
  }
  return skills;
}

async function obtain(run: TaskRun, cache: BundleCache, wanted: WantedSkill, signal: AbortSignal): Promise<Bundle> {
  const { ctx, task, logger } = run;
  const cached = await cache.load(wanted);
  if (cached !== null) return cached;
  const bundle = await fetchBundle(wanted, {
    clock: ctx.clock,
    signal,
    resolve: (body, options) => ctx.api.resolveSkillBundles(task.runtime_id, task.id, body, options),
  });
  logger.info("skill bundle fetched", { skill: wanted.id, edited: bundle.hash !== wanted.hash });
  await cache.store(bundle).catch((error: unknown) => logger.warn("a skill bundle was not kept", { skill: wanted.id, error: errorText(error) }));
  return bundle;
}

function readRef(ref: NonNullable<TaskAgent["skill_refs"]>[number]): WantedSkill {
  const parsed = skillRefSchema.safeParse(ref);
  if (parsed.success) return wantedSkill(parsed.data);
  throw taskFailure("skill_bundle_unavailable", "resolve skill bundles: a reference to a skill cannot be read", parsed.error);
}
