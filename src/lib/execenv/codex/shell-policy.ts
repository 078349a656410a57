import { MulticaError } from "../../core/index.ts";
import { envValue, readRegularFile, writeFileAtomic } from "../../platform/index.ts";
import { join } from "node:path";
import type { HostFacts, ShellVariables } from "../types.ts";
import { planConfig } from "./config/render.ts";
import type { ManagedWants } from "./config/blocks.ts";
import { inlineToml } from "./config/inline.ts";

/** The block is written on request only: Codex passes every variable on by itself (real-agents.md 3, finding 2; decision 10). */
export function wantsShellPolicy(host: Pick<HostFacts, "env">): boolean {
  const value = envValue(host.env, "MULTICA_CODEX_SHELL_ENVIRONMENT") ?? "off";
  if (["1", "true", "yes", "on"].includes(value.toLowerCase())) return true;
  if (["0", "false", "no", "off"].includes(value.toLowerCase())) return false;
  throw new MulticaError("bad_setting", `MULTICA_CODEX_SHELL_ENVIRONMENT is ${JSON.stringify(value)}`, { suggestions: ["Use on or off."] });
}

const SECRET = /KEY|SECRET|TOKEN/i;
const OURS = /^MULTICA_/i;

/**
 * Names that the agent's commands get, without patterns (execenv.md 7.9): inherited ones that are neither ours nor look
 * secret, what the daemon sets, and secrets only where the agent's owner gave them. Sorted, each once in any spelling.
 */
export function shellNames({ inherited, set, custom }: ShellVariables): string[] {
  const names = [
    ...custom,
    ...set.filter((name) => OURS.test(name) || !SECRET.test(name)),
    ...inherited.filter((name) => !OURS.test(name) && !SECRET.test(name)),
  ];
  const each = new Map<string, string>();
  for (const name of names.filter((one) => !/[*?[\]]/.test(one))) if (!each.has(name.toUpperCase())) each.set(name.toUpperCase(), name);
  return [...each.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name);
}

export function shellLines(names: readonly string[]): string[] {
  return ["[shell_environment_policy]", 'inherit = "all"', "ignore_default_excludes = true", `include_only = ${inlineToml(names)}`];
}

/**
 * Writes the block into a home that is otherwise right, just before the agent starts. The caller holds the environment.
 * Throws `codex_config_invalid`, file untouched, and `codex_home_broken` when there is no such file.
 */
export async function writeShellPolicy(home: string, wants: Omit<ManagedWants, "tables">, variables: ShellVariables): Promise<void> {
  const path = join(home, "config.toml");
  const bytes = await readRegularFile(path);
  if (bytes === undefined) throw new MulticaError("codex_home_broken", `${path} is not there: Codex must not run with the user's own settings`);
  const plan = planConfig(bytes.toString("utf8"), { ...wants, tables: { "shell-environment": shellLines(shellNames(variables)) } });
  if (plan.issues.length > 0) await writeFileAtomic(path, plan.text, { mode: 0o600 });
}
