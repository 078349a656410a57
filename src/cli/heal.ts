import { EXIT } from "../lib/core/index.ts";
import type { EnvSummary, HealOptions, HealReport } from "../lib/execenv/index.ts";
import { usage } from "./resolve.ts";

interface HealFlags {
  readonly "dry-run"?: boolean;
  readonly only?: string | undefined;
  readonly skip?: string | undefined;
  readonly "min-severity"?: string | undefined;
  readonly "adopt-sessions"?: boolean;
  readonly "reset-config"?: boolean;
  readonly "reset-config-units"?: string | undefined;
  readonly local?: boolean;
  readonly "no-backup"?: boolean;
}

/** The engine's options from the command's flags. A code that no finding has is a usage error. */
export function healOptions(flags: HealFlags, isCode: (code: string) => boolean): HealOptions {
  const codes = (flag: string, text: string | undefined): string[] | undefined => {
    const list = listOf(flag, text);
    const unknown = list?.find((code) => !isCode(code));
    if (unknown !== undefined) throw usage(`${flag}: there is no finding ${unknown}; multica execenv inspect shows the codes`);
    return list;
  };
  const units = listOf("--reset-config-units", flags["reset-config-units"]);
  const severity = flags["min-severity"];
  return {
    dryRun: flags["dry-run"] === true,
    only: codes("--only", flags.only),
    skip: codes("--skip", flags.skip),
    minSeverity: severity === "error" || severity === "warn" || severity === "info" ? severity : undefined,
    adoptSessions: flags["adopt-sessions"] === true,
    resetConfig: units ?? (flags["reset-config"] === true ? true : undefined),
    local: flags.local === true,
    backup: flags["no-backup"] !== true,
  };
}

/** One environment's line of the answer; null: it is not one of ours and was not looked at. */
export function healReport(env: EnvSummary, report: HealReport | null): HealReport {
  const foreign = { id: env.id, path: env.path, status: "error", busy: false, provider: "", shared_codex_home: null, findings: [], codex_home: [], blocks: [] } as const;
  return report === null ? { ...foreign, error: "it holds nothing of ours: it may be somebody else's directory" } : { ...report, id: env.id };
}

/** Exit code of one environment (decision 4). A dry run that would repair something has findings. */
export function healExit(report: HealReport): number {
  if (report.status === "error") return report.error?.startsWith("it holds nothing of ours") === true ? EXIT.validation : EXIT.failed;
  if (report.status === "busy") return EXIT.conflict;
  return report.status === "remaining" ? EXIT.findings : EXIT.done;
}

function listOf(flag: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const items = text.split(",").map((item) => item.trim()).filter((item) => item !== "");
  if (items.length === 0) throw usage(`${flag} is empty`);
  return items;
}
