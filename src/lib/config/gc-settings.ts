import { settingDuration, badSetting } from "./durations.ts";
import { type Env, envText } from "./environment.ts";
import { isOfficialCloud } from "./url.ts";

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
  /** Of the sessions of conversations that nobody took up again; 0 = never. */
  readonly sessionTtlMs: number;
  /** Of temporary directories of tasks without a lock file; 0 = never. */
  readonly legacyTempTtlMs: number;
  /** What all environments may take together before what has ended goes early, bytes; 0 = whatever they need. */
  readonly maxBytes: number;
  /** What is to stay free on their disk, bytes; 0 = nothing. */
  readonly minFreeBytes: number;
  /** Names of directories that count as such things. */
  readonly artifactPatterns: readonly string[];
}

const HOUR = 3_600_000;

/**
 * The collector's settings from `MULTICA_GC_*` (daemon.md 3.2). Throws `bad_setting` (exit 2) naming the variable.
 * `serverUrl`: on the vendor's cloud environments go two weeks after their last task, elsewhere only with their issue.
 */
export function resolveGcSettings(env: Env, serverUrl = ""): GcSettings {
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
    completedTaskTtlMs: duration("MULTICA_GC_COMPLETED_TASK_TTL", isOfficialCloud(serverUrl) ? 14 * 24 * HOUR : 0),
    sessionTtlMs: duration("MULTICA_GC_CODEX_SESSION_TTL", 14 * 24 * HOUR),
    legacyTempTtlMs: duration("MULTICA_GC_TASK_TEMP_LEGACY_TTL", 0),
    maxBytes: bytes(env, "MULTICA_GC_MAX_BYTES"),
    minFreeBytes: bytes(env, "MULTICA_GC_MIN_FREE"),
    // A name with a separator would reach somewhere else, and `.git` is never a thing to build again.
    artifactPatterns: patterns.filter((name) => name !== "" && !/[/\\]/.test(name) && ![".", "..", ".git"].includes(name)),
  };
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `20GiB`, `512M`, `1000000`; 0 unless given. */
function bytes(env: Env, name: string): number {
  const text = envText(env, name);
  if (text === undefined) return 0;
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? "").toUpperCase()];
  if (match === null || unit === undefined) throw badSetting(name, text, "a size such as 20GiB");
  return Math.floor(Number(match[1]) * unit);
}
