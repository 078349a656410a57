import type { Logger } from "../../platform/logger.ts";
import type { HostFacts } from "../types.ts";

export type Severity = "error" | "warn" | "info";

/** auto: Reuse and heal repair it · flag: heal, with its flag · next: the next task's preparation · manual: a person · none: a fact. */
export type Fix = "auto" | "flag" | "next" | "manual" | "none";

export type FindingStatus = "found" | "would_heal" | "healed" | "skipped" | "failed";

/** One thing that is not as it should be (execenv.md 17). Never holds the content of a file. */
export interface Finding {
  /** Stable code of the findings table, such as `CH_AUTH_BROKEN`. */
  readonly code: string;
  readonly severity: Severity;
  readonly fix: Fix;
  /** Relative to the env root; the root guard marker's is relative to the workspaces root. */
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
  readonly status: FindingStatus;
  /** Where what was replaced or moved aside is kept now, relative to the env root. */
  readonly backup: string | null;
  readonly error: string | null;
  /** What a person does about it; empty when healing does it. */
  readonly hint: string;
}

/** An environment to look at, and the machine it is on. Paths are absolute. */
export interface Target {
  readonly root: string;
  readonly workspacesRoot: string;
  readonly host: HostFacts;
  /** Of the agent CLI, when known; else the record's. */
  readonly cliVersion?: string | undefined;
  /** Wins over the record and the environment. */
  readonly sharedHome?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

export interface HealOptions {
  /** Say what would be done; takes no lock and writes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Codes to repair; all others are reported as they are. */
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  /** Repair only findings of at least this severity. */
  readonly minSeverity?: Severity | undefined;
  /** Move rollouts of a real `sessions` directory into the shared one, then link. */
  readonly adoptSessions?: boolean | undefined;
  /** Take `config.toml` anew from the shared home: as a whole, or only these keys and tables. */
  readonly resetConfig?: true | readonly string[] | undefined;
  /** Permit repairs in a user's own directory. */
  readonly local?: boolean | undefined;
  /** False: `--no-backup`. Only what `resetConfig` replaces is then not kept; rescues always are. */
  readonly backup?: boolean | undefined;
}

/** A line of the codex-home table of `inspect`. */
export interface EntryView {
  readonly entry: string;
  readonly expected: "link" | "copy" | "generated" | "directory" | "file";
  readonly actual: "absent" | "link" | "broken link" | "file" | "directory" | "other" | "unreadable";
  readonly target: string | null;
  readonly ok: boolean;
}

/** A managed block of `config.toml` in `inspect`. */
export interface BlockView {
  readonly block: string;
  readonly present: boolean;
  readonly current: boolean;
  readonly foreign: boolean;
}

export type ReportStatus = "ok" | "healed" | "remaining" | "busy" | "error";

/** What was found and done in one environment. */
export interface Report {
  /** `{workspace}/{segment}`. */
  readonly id: string;
  readonly path: string;
  /** ok: nothing of severity warn or error · healed: all of it repaired · remaining: some is left · busy: somebody holds it. */
  readonly status: ReportStatus;
  /** Held by a running execution at the time of the look. */
  readonly busy: boolean;
  readonly provider: string;
  readonly shared_codex_home: string | null;
  readonly findings: readonly Finding[];
  readonly codex_home: readonly EntryView[];
  readonly blocks: readonly BlockView[];
  /** Why the status is `error`. */
  readonly error: string | null;
}
