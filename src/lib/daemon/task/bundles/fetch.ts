import { isTransient } from "../../../api/index.ts";
import { MulticaError, errorText, formatDuration } from "../../../core/index.ts";
import { type Clock, deadline } from "../../../platform/index.ts";
import type { ResolveBundles, SkillData } from "../../../wire/index.ts";
import { taskFailure } from "../failure.ts";
import { type Bundle, type WantedSkill, verifyBundle } from "./bundle.ts";

const BYTES_PER_SECOND = 50 * 1024;
const SHORTEST_MS = 30_000;
const LONGEST_MS = 5 * 60_000;
const WAITS_MS = [500, 2000];

export interface BundleFetch {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly resolve: (body: ResolveBundles, options: { signal: AbortSignal; timeoutMs: number }) => Promise<SkillData[]>;
}

/** Time for all attempts to fetch a skill of this size (server-api.md 3.1). */
export function fetchLimitMs(sizeBytes: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.floor(sizeBytes / BYTES_PER_SECOND) * 1000));
}

/**
 * Fetches one bundle and proves it. A skill that was edited since the claim comes with another hash, which is right but
 * for plugins: those are pinned. Rejects with the reason `skill_bundle_unavailable` and what is known of the skill.
 */
export async function fetchBundle(wanted: WantedSkill, fetch: BundleFetch): Promise<Bundle> {
  const { clock } = fetch;
  const began = clock.monotonic();
  const limitMs = fetchLimitMs(wanted.sizeBytes);
  const limit = deadline(clock, limitMs, fetch.signal);
  try {
    return check(await attempts(wanted, fetch, limit.signal, limitMs), wanted);
  } catch (error) {
    const took = formatDuration(Math.round(clock.monotonic() - began));
    const why = limit.expired() ? `no answer within ${formatDuration(limitMs)}` : errorText(error);
    throw taskFailure("skill_bundle_unavailable", `resolve skill bundles: skill "${wanted.name}" (${wanted.id}, ${wanted.sizeBytes} bytes) after ${took}: ${why}`, error);
  } finally {
    limit.done();
  }
}

async function attempts(wanted: WantedSkill, { clock, resolve }: BundleFetch, signal: AbortSignal, timeoutMs: number): Promise<SkillData[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await resolve({ skills: [wanted.ref] }, { signal, timeoutMs });
    } catch (error) {
      const wait = WAITS_MS[attempt];
      if (wait === undefined || signal.aborted || !isTransient(error)) throw error;
      await clock.sleep(wait, signal);
    }
  }
}

function check(bundles: readonly SkillData[], wanted: WantedSkill): Bundle {
  const [only, ...more] = bundles;
  if (only === undefined || more.length > 0) throw new MulticaError("skill_bundle", `the server sent ${bundles.length} bundles for one skill`);
  const bundle = verifyBundle(only, wanted);
  if (wanted.source === "plugin" && bundle.hash !== wanted.hash) {
    throw new MulticaError("skill_bundle", `the plugin's skill is pinned to ${wanted.hash} and the server has ${bundle.hash}`);
  }
  return bundle;
}
