import { settingDuration } from "../lib/config/index.ts";
import { EXIT } from "../lib/core/index.ts";
import type { CleanPart, CleanReport, EnvSummary } from "../lib/execenv/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import { type Place, selectFor } from "./execenv.ts";
import { usage } from "./resolve.ts";

interface CleanFlags {
  readonly orphans?: boolean;
  readonly "older-than"?: string | undefined;
  readonly artifacts?: boolean;
  readonly workdir?: boolean;
  readonly sidecars?: boolean;
}

/** Which part is to go; at most one may be named. */
export function cleanPart(flags: CleanFlags): CleanPart {
  const chosen = (["artifacts", "workdir", "sidecars"] as const).filter((part) => flags[part] === true);
  if (chosen.length > 1) throw usage(`${chosen.map((part) => `--${part}`).join(" and ")} exclude each other`);
  return chosen[0] ?? "root";
}

/** The environments meant: named ones, or all orphans, or all that rested for long. Naming none is a usage error. */
export async function pickForCleaning(place: Place, selectors: readonly string[], flags: CleanFlags, cwd: string): Promise<EnvSummary[]> {
  const older = flags["older-than"];
  const ways = [selectors.length > 0, flags.orphans === true, older !== undefined].filter(Boolean).length;
  if (ways !== 1) throw usage("name environments, or give --orphans or --older-than, and only one of these");
  if (selectors.length > 0) return selectFor(place, selectors, { cwd });
  const all = (await selectFor(place, "all", { cwd })).filter((env) => env.state !== "active" && env.state !== "foreign");
  if (older === undefined) return all.filter((env) => env.state === "orphan");
  const before = systemClock.now() - settingDuration(older, "--older-than");
  return all.filter((env) => Date.parse(env.last_used_at) < before);
}

export function cleanExit(report: CleanReport): number {
  if (report.status === "failed") return EXIT.failed;
  if (report.status === "busy") return EXIT.conflict;
  return report.status === "refused" ? EXIT.validation : EXIT.done;
}
