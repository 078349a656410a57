import { MulticaError } from "../../core/index.ts";
import type { Env } from "../../platform/index.ts";
import { runShort } from "../../platform/process/run-short.ts";

/** Output of one git command, trimmed; rejects with git's own words when it fails. */
export async function git(env: Env, cwd: string, ...args: readonly string[]): Promise<string> {
  const result = await runShort({ command: "git", args, cwd, env, timeoutMs: 60_000 });
  if (result.code === 0) return result.stdout.trim();
  const missing = result.code === null && /ENOENT/.test(result.failure ?? "");
  throw new MulticaError("git_failed", missing ? "git is not installed" : `git ${args[0] ?? ""}: ${result.stderr.trim() || result.failure || ""}`, {
    suggestions: missing ? ["Install git 2.39 or newer."] : [],
  });
}
