import type { Clock } from "../../platform/index.ts";
import type { ModelEntry } from "../../wire/index.ts";

/** Where and how to ask an agent which models it has. */
export interface ModelProbe {
  readonly executable: string;
  /** Arguments before everything else: those of a profile, filtered. */
  readonly prefix: readonly string[];
  /** The whole environment of the agent. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** `fallback`: a list of our own, because the agent could not be asked. */
export interface ModelListing {
  readonly models: readonly ModelEntry[];
  readonly fallback: boolean;
}

/** How one family is asked for its models (agents.md 9.2). Throws when the agent does not tell. */
export type ModelLister = (probe: ModelProbe) => Promise<ModelListing>;

const LABELS: Readonly<Record<string, string>> = { xhigh: "Extra high" };

/** A thinking level as people read it. */
export function levelLabel(value: string): string {
  return LABELS[value] ?? value.slice(0, 1).toUpperCase() + value.slice(1);
}
