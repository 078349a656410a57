import { MulticaError } from "../../core/index.ts";
import type { CodexFacts } from "../codex/facts.ts";
import { readRecord } from "../record.ts";
import type { PrepareInput } from "../types.ts";
import { isFatal } from "./codes.ts";
import { contextOf, openContext } from "./context.ts";
import { healSection } from "./run.ts";
import type { Finding, Target } from "./types.ts";

/**
 * Makes the task's CODEX_HOME, or completes it, with the repairs of the `codex` checks (execenv.md 6.4, 7). On a right
 * home it writes nothing. The caller holds the lock. Throws `codex_config_invalid` or `codex_home_broken` when something
 * is left with which no agent may be started: a looser sandbox than ours must not stand.
 */
export async function ensureCodexHome(root: string, input: PrepareInput, codex: CodexFacts): Promise<void> {
  const target = targetOf(root, input);
  const context = contextOf(target, { record: await readRecord(root), provider: "codex", codex }, {});
  refuseFatal(await healSection(context, "codex"));
}

/**
 * The `auto` repairs of what lies around a home, before a task continues in an environment. The caller holds the lock.
 * Throws `env_symlinked` when a link stands where a directory of ours belongs: then nothing may be written.
 */
export async function healBeforeReuse(root: string, input: PrepareInput): Promise<void> {
  const context = await openContext(targetOf(root, input), {});
  refuseFatal(await healSection({ ...context, codex: undefined }, "environment"));
}

function targetOf(root: string, input: PrepareInput): Target {
  const { workspacesRoot, host, cliVersion, now, logger } = input;
  return { root, workspacesRoot, host, cliVersion, now, logger };
}

function refuseFatal(findings: readonly Finding[]): void {
  const fatal = findings.find((one) => isFatal(one.code) && one.status !== "healed");
  if (fatal === undefined) return;
  const code = fatal.code === "ENV_SYMLINKED" ? "env_symlinked" : /^CH_(CONFIG|REF)/.test(fatal.code) ? "codex_config_invalid" : "codex_home_broken";
  throw new MulticaError(code, `${fatal.path}: ${fatal.error ?? fatal.actual}`, { suggestions: fatal.hint === "" ? [] : [fatal.hint], details: { finding: fatal.code } });
}
