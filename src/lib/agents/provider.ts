import type { RunOptions } from "./contract.ts";
import type { LocalInventory } from "./inventory/types.ts";
import type { ModelLister } from "./models/types.ts";
import type { ReducerRun } from "./reducer.ts";

/** `v` drops the flag and its value, `s` the flag alone, `o` the next token unless it is a flag (agents.md 4.2). */
export type FlagArity = "v" | "s" | "o";

export interface ArgvContext {
  readonly options: RunOptions;
  /** The task's environment, for rules such as "CODEX_HOME is set". */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * One provider = one file under `providers/` = one value of this type (agents.md 16.2).
 * Everything else iterates over the registry; nobody compares a provider's id with a literal.
 */
export interface ProviderSpec {
  /** Runtime identity on the wire. */
  readonly id: string;
  readonly family: string;
  readonly displayName: string;
  /** How a person sees the launch, e.g. `codex app-server`. */
  readonly launchHeader: string;
  /** Command looked up by detection; null: never detected, only reached through a custom profile. */
  readonly command: string | null;
  /** A custom profile may name this provider as its family. */
  readonly profileFamily: boolean;
  /** Names of the variables that set the path, the default model and the default arguments; null = not supported. */
  readonly variables: { readonly path: string | null; readonly model: string | null; readonly args: string | null };
  /** Places looked at after PATH, absolute or starting with `~/`. */
  readonly bundlePaths: readonly string[];
  readonly version: { readonly min: string | null; readonly probeArgs: readonly string[] };
  readonly ownedFlags: Readonly<Record<string, FlagArity>>;
  /** Rules beyond the table, applied to prefix, extra and custom arguments; `dropped` names flags, never values. */
  readonly filterArgs?: (args: readonly string[], context: ArgvContext) => { args: string[]; dropped: string[] };
  readonly takesExtraArgs: boolean;
  readonly argv: (context: ArgvContext) => { readonly protocol: readonly string[]; readonly final: readonly string[] };
  /** Literal subcommands that may appear in a log line. */
  readonly trustedLiterals: readonly string[];
  /** Fixed variables of the child, on top of the task's. */
  readonly env: Readonly<Record<string, string>>;
  /** File in the workdir that the agent reads its brief from, and where its skills live. */
  readonly contextFile: string;
  readonly skillsDir: string | null;
  readonly systemPrompt: "context-file" | "inline";
  /** True where a managed MCP configuration reaches the agent; others are refused, never run without it (agents.md 7). */
  readonly managedMcp: boolean;
  /** True where a refused resume is only seen by a failure without a session; absent: the adapter says so (agents.md 10). */
  readonly silentResume?: boolean;
  /** Label of the stderr tail in an error text; null: the tail is not shown. */
  readonly stderrLabel: string | null;
  readonly process: ProcessLimits;
  /** How its models are listed; null: it takes no choice of model. */
  readonly models: ModelLister | null;
  /** True where the user's own configuration decides what runs without a model: no level can be checked then. */
  readonly ownDefaultModel?: boolean;
  /** Where the user keeps skills and MCP servers for it; null: nowhere that is known. */
  readonly inventory: LocalInventory | null;
  /** Longest line of stdout, in bytes. */
  readonly lineMax: number;
  /** A new adapter for one run. */
  readonly reducer: (options: RunOptions) => ReducerRun;
}

/** Milliseconds (agents.md 5.4 as replaced by decision 19). */
export interface ProcessLimits {
  /** What the protocol's own cancel gets before the signals start. */
  readonly cancelWindowMs: number;
  /** SIGTERM → SIGKILL. */
  readonly graceMs: number;
  /** What the pipes get after the final frame or the process's end. */
  readonly pipeDelayMs: number;
}

export const DEFAULT_PROCESS_LIMITS: ProcessLimits = { cancelWindowMs: 1000, graceMs: 5000, pipeDelayMs: 2000 };
export const DEFAULT_LINE_MAX = 32 * 1024 * 1024;
