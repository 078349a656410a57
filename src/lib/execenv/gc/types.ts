import type { Clock, Env } from "../../platform/index.ts";
import type { CleanReport } from "../ops/clean.ts";
import type { GcAction, GcDecision, GcFacts, GcLimits, GcParent, ParentAnswer } from "./decision.ts";

export interface GcRequest {
  readonly workspacesRoot: string;
  readonly limits: GcLimits & { readonly artifactPatterns: readonly string[] };
  /** Asks the server about parents, answers by `kind:id`; null: offline, only what the disk tells decides. A rejection is no answer. */
  readonly ask: AskParents | null;
  /** Roots this process has marked as in use. */
  readonly isActive?: (root: string) => boolean;
  readonly workspaceId?: string | undefined;
  readonly dryRun: boolean;
  readonly clock: Clock;
  readonly env: Readonly<Env>;
  readonly signal?: AbortSignal;
  /** More than this in all, or less left on the disk: what has ended goes before its time. */
  readonly pressure?: PressureLimits;
}

export type AskParents = (parents: readonly AskedParent[]) => Promise<ReadonlyMap<string, ParentAnswer>>;

export interface AskedParent extends GcParent {
  readonly workspaceId: string;
}

export interface GcReport {
  readonly id: string;
  readonly path: string;
  readonly action: GcAction;
  readonly reason: string;
  /** `kept` for every action `skip`; else what became of it. */
  readonly status: "kept" | CleanReport["status"];
  readonly bytes: number;
  readonly error: string | null;
}

/** Limits of the disk, in bytes; 0 switches one off. */
export interface PressureLimits {
  /** What all environments of the root may take together. */
  readonly maxBytes: number;
  /** What is to stay free on the file system they lie on. */
  readonly minFreeBytes: number;
}

/** One root, what was said of it, and what the table makes of that. */
export interface Looked {
  readonly decision: GcDecision;
  readonly facts: GcFacts;
  readonly answer: ParentAnswer;
}
