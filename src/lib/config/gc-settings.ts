import { settingDuration, badSetting } from "./durations.ts";
import { type Env, envText } from "./environment.ts";

/** When what of an environment may go (execenv.md 15). Milliseconds; 0 switches a rule off where that is said. */
export interface GcSettings {
  /** After the parent was finished. */
  readonly ttlMs: number;
  /** Of directories that nobody can be asked about. */
  readonly orphanTtlMs: number;
  /** Of things a build can make again. */
  readonly artifactTtlMs: number;
  /** After the last task, whatever the state; 0 = never. */
  readonly completedTaskTtlMs: number;
  /** Names of directories that count as such things. */
  readonly artifactPatterns: readonly string[];
}

const HOUR = 3_600_000;

/** The collector's settings from `MULTICA_GC_*`. Throws `bad_setting` (exit 2) naming the variable. */
export function resolveGcSettings(env: Env): GcSettings {
  const duration = (name: string, fallback: number): number => {
    const text = envText(env, name);
    if (text === undefined) return fallback;
    const ms = settingDuration(text, name);
    if (ms >= 0) return ms;
    throw badSetting(name, text, "a duration that is not negative");
  };
  const patterns = (envText(env, "MULTICA_GC_ARTIFACT_PATTERNS") ?? "node_modules,.next,.turbo").split(",").map((name) => name.trim());
  return {
    ttlMs: duration("MULTICA_GC_TTL", 24 * HOUR),
    orphanTtlMs: duration("MULTICA_GC_ORPHAN_TTL", 72 * HOUR),
    artifactTtlMs: duration("MULTICA_GC_ARTIFACT_TTL", 12 * HOUR),
    completedTaskTtlMs: duration("MULTICA_GC_COMPLETED_TASK_TTL", 0),
    // A name with a separator would reach somewhere else, and `.git` is never a thing to build again.
    artifactPatterns: patterns.filter((name) => name !== "" && !/[/\\]/.test(name) && ![".", "..", ".git"].includes(name)),
  };
}
