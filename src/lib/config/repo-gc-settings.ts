import { badSetting, settingDuration } from "./durations.ts";
import { type Env, envText } from "./environment.ts";

/** When the daemon tidies repository caches (daemon.md 3.2, repocache.md 17). Milliseconds. */
export interface RepoGcSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** A cache that nobody claims goes after this; 0 = never. */
  readonly evictAfterMs: number;
  readonly pack: boolean;
}

const HOUR = 3_600_000;

/** From `MULTICA_GC_*`. Throws `bad_setting` (exit 2) naming the variable. */
export function resolveRepoGcSettings(env: Env): RepoGcSettings {
  const duration = (name: string, fallback: number, least: number): number => {
    const text = envText(env, name);
    if (text === undefined) return fallback;
    const ms = settingDuration(text, name);
    if (ms >= least) return ms;
    throw badSetting(name, text, least === 0 ? "a duration that is not negative" : "a duration of at least a second");
  };
  return {
    enabled: isOn(env, "MULTICA_GC_ENABLED"),
    intervalMs: duration("MULTICA_GC_INTERVAL", HOUR, 1000),
    evictAfterMs: duration("MULTICA_GC_REPO_TTL", 30 * 24 * HOUR, 0),
    pack: isOn(env, "MULTICA_GC_REPO_MAINTENANCE_ENABLED"),
  };
}

function isOn(env: Env, name: string): boolean {
  const text = envText(env, name)?.trim().toLowerCase();
  return text !== "0" && text !== "false";
}
