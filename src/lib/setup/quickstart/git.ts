import { MulticaError } from "../../core/index.ts";
import type { Env } from "../../platform/index.ts";
import { runShort } from "../../platform/process/run-short.ts";

/** Who commits where the person has told git nothing. */
export const IDENTITY = { name: "Quickstart", email: "quickstart@multica.invalid" };

/** Output of one git command, trimmed; rejects with git's own words when it fails. */
export async function git(env: Env, cwd: string, ...args: readonly string[]): Promise<string> {
  const result = await runShort({ command: "git", args, cwd, env, timeoutMs: 60_000 });
  if (result.code === 0) return result.stdout.trim();
  const missing = result.code === null && /ENOENT/.test(result.failure ?? "");
  const words = result.timedOut ? "no answer in time" : (fatalLine(result.stderr) ?? result.failure ?? "");
  throw new MulticaError("git_failed", missing ? "git is not installed" : `git ${args.find((arg) => /^[a-z]/.test(arg)) ?? ""}: ${words}`, {
    suggestions: missing ? ["Install git 2.39 or newer."] : [],
  });
}

/** Git explains at length; the line that says what is wrong begins with `fatal:`. */
function fatalLine(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.find((line) => line.startsWith("fatal:")) ?? lines.at(-1);
}
