import type { RunOptions } from "../contract.ts";
import type { ArgvContext, ProviderSpec } from "../provider.ts";
import { displayArgs } from "./display.ts";
import { agentEnvironment } from "./environment.ts";
import { type Filtered, filterFlags, repeatedFlags } from "./flags.ts";

/** Everything needed to start one agent process. */
export interface LaunchPlan {
  /** Absolute path. */
  readonly executable: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The arguments as a log may show them. */
  readonly shownArgs: readonly string[];
  /** Names of user flags that were left out. */
  readonly dropped: readonly string[];
  /** Names of prefix flags that the runtime's own value overrides. */
  readonly overridden: readonly string[];
}

export interface LaunchInput {
  readonly spec: ProviderSpec;
  readonly executable: string;
  /** A custom profile's fixed arguments. */
  readonly prefix?: readonly string[];
  /** The daemon-wide default arguments of the provider. */
  readonly extraArgs?: readonly string[];
  /** The agent record's arguments. */
  readonly customArgs?: readonly string[];
  readonly options: RunOptions;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly taskEnv: Readonly<Record<string, string>>;
}

/** A profile's fixed arguments as they stand in every launch of it, the version probe included (agents.md 3.7). */
export function planPrefix(spec: ProviderSpec, fixedArgs: readonly string[], env: Readonly<Record<string, string>>): string[] {
  return cleanArgs(spec, fixedArgs, "prefix", { options: { cwd: "", prompt: "" }, env }).args;
}

/** `<executable> <prefix> <protocol> <extra> <custom> <final>` with the protocol's own flags protected (agents.md 4.1). */
export function planLaunch(input: LaunchInput): LaunchPlan {
  const { spec, options } = input;
  const env = agentEnvironment({ inherited: input.inheritedEnv, provider: spec.env, task: input.taskEnv });
  const context = { options, env };
  const prefix = cleanArgs(spec, input.prefix, "prefix", context);
  const extra = cleanArgs(spec, spec.takesExtraArgs ? input.extraArgs : [], "arguments", context);
  const custom = cleanArgs(spec, input.customArgs, "arguments", context);
  const { protocol, final } = spec.argv(context);
  const args = [...prefix.args, ...protocol, ...extra.args, ...custom.args, ...final];
  return {
    executable: input.executable,
    args,
    env,
    shownArgs: displayArgs(args, {
      literals: spec.trustedLiterals,
      from: prefix.args.length,
      to: prefix.args.length + protocol.length,
    }),
    dropped: [...prefix.dropped, ...extra.dropped, ...custom.dropped],
    overridden: repeatedFlags(prefix.args, args.slice(prefix.args.length)),
  };
}

function cleanArgs(spec: ProviderSpec, args: readonly string[] | undefined, where: "arguments" | "prefix", context: ArgvContext): Filtered {
  const table = filterFlags(args ?? [], spec.ownedFlags, where);
  const rules = spec.filterArgs?.(table.args, context) ?? { args: table.args, dropped: [] };
  return { args: rules.args, dropped: [...table.dropped, ...rules.dropped] };
}
