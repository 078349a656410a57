import { type DetectedAgent, type SkippedAgent, detectAgents } from "../../agents/index.ts";
import type { Clock, Env } from "../../platform/index.ts";

export interface RuntimeProbe {
  readonly probe_result: "success";
  readonly runtime_count: number;
  /** Provider → number of its built-in runtimes. */
  readonly provider_summary: Readonly<Record<string, number>>;
  /** What was found, and how. */
  readonly agents: readonly DetectedAgent[];
  /** What was looked for and cannot be used, with the reason. */
  readonly skipped: readonly SkippedAgent[];
}

export interface RuntimeProbeOptions {
  readonly env: Env;
  readonly home: string;
  readonly cwd: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The agents a daemon started from here would offer (cli.md 5.4); changes nothing and needs no daemon. Never throws. */
export async function probeRuntimes(options: RuntimeProbeOptions): Promise<RuntimeProbe> {
  const { agents, skipped } = await detectAgents(options);
  return {
    probe_result: "success",
    runtime_count: agents.length,
    provider_summary: Object.fromEntries(agents.map(({ provider }) => [provider, 1])),
    agents,
    skipped,
  };
}
