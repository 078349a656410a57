import type { Finding, HealOptions, Severity } from "./types.ts";

const RANK: Readonly<Record<Severity, number>> = { info: 0, warn: 1, error: 2 };

/** The flag that permits a repair of each flagged code. */
const FLAGS: Readonly<Record<string, (options: HealOptions) => boolean>> = {
  CH_SESSIONS_REAL_DIR: (options) => options.adoptSessions === true,
  CH_CONFIG_UNPARSEABLE: (options) => options.resetConfig === true,
  CH_CONFIG_RESET: (options) => options.resetConfig !== undefined,
  SIDE_LEFTOVER: (options) => options.local === true,
};

/** True when these options ask for the repair of this finding. */
export function isSelected(one: Finding, options: HealOptions): boolean {
  const permitted = one.fix === "auto" || (one.fix === "flag" && FLAGS[one.code]?.(options) === true);
  if (!permitted || options.skip?.includes(one.code) === true) return false;
  if (options.only !== undefined && !options.only.includes(one.code)) return false;
  return RANK[one.severity] >= RANK[options.minSeverity ?? "info"];
}
