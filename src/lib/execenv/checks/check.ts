import type { CodexFacts } from "../codex/facts.ts";
import type { EnvPaths } from "../layout.ts";
import type { EnvRecord } from "../record.ts";
import { CODES, type Code } from "./codes.ts";
import type { Finding, HealOptions, Severity, Target } from "./types.ts";

/** What every check is given. `root` of the paths is the real env root; nothing behind a link is ever looked at. */
export interface CheckContext {
  readonly target: Target;
  /** `{workspace}/{segment}`. */
  readonly id: string;
  readonly paths: EnvPaths;
  readonly record: EnvRecord | undefined;
  /** `codex`, …; empty when nothing tells. */
  readonly provider: string;
  /** What a right Codex home looks like here; undefined for other providers. */
  readonly codex: CodexFacts | undefined;
  readonly options: HealOptions;
  /** Where to keep what a repair replaces. */
  readonly stamp: string;
}

export interface Repaired {
  /** Where the replaced thing is now, relative to the env root. */
  readonly backup?: string | undefined;
}

/** Where a check belongs: `environment` checks come with a root that exists, `codex` ones build a home as well; no task asks for `machine`. */
export type Section = "environment" | "codex" | "machine";

/**
 * A predicate and the repair of what it finds. `check` reads only. `repair` must end well when it is run again after a
 * kill at any of its writes, and must keep every byte that this product did not write.
 */
export interface Check {
  readonly id: string;
  readonly section: Section;
  readonly codes: readonly Code[];
  check(context: CheckContext): Promise<readonly Finding[]>;
  /** True for a finding that hides everything behind it: while it stands, no later check of the section is run. */
  gate?(finding: Finding): boolean;
  repair?(context: CheckContext, finding: Finding): Promise<Repaired>;
}

export interface FindingFacts {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
  readonly severity?: Severity | undefined;
  /** For a code that is repaired in some cases only. */
  readonly fix?: Finding["fix"] | undefined;
  readonly hint?: string | undefined;
}

export function finding(code: Code, facts: FindingFacts): Finding {
  const known = CODES[code];
  return {
    code,
    severity: facts.severity ?? known.severity,
    fix: facts.fix ?? known.fix,
    path: facts.path,
    expected: facts.expected,
    actual: facts.actual,
    status: "found",
    backup: null,
    error: null,
    hint: facts.hint ?? ("hint" in known ? known.hint : ""),
  };
}
