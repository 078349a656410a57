import { type Options, execa } from "execa";
import type { Env } from "../env.ts";

export interface ShortRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the command. */
  readonly env: Env;
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export interface ShortResult {
  /** Exit code; null when a signal ended it or it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** Why it could not be started or did not end by itself. */
  readonly failure?: string;
}

/**
 * Runs a short command to its end and returns what happened as a value; never throws for the command's own failure.
 * Its whole process group is ended at the timeout or on abort, so a hanging grandchild cannot hold the caller.
 */
export async function runShort(run: ShortRun): Promise<ShortResult> {
  const options: Options = {
    env: run.env,
    extendEnv: false,
    reject: false,
    timeout: run.timeoutMs,
    maxBuffer: run.maxBytes ?? 4 << 20,
    stripFinalNewline: false,
    killDescendants: true,
    forceKillAfterDelay: 500,
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    ...(run.signal === undefined ? {} : { cancelSignal: run.signal }),
    ...(run.input === undefined ? { stdin: "ignore" as const } : { input: run.input }),
  };
  const result = await execa(run.command, [...run.args], options);
  const failed = result.failed && result.exitCode === undefined;
  return {
    code: result.exitCode ?? null,
    stdout: typeof result.stdout === "string" ? result.stdout : "",
    stderr: typeof result.stderr === "string" ? result.stderr : "",
    timedOut: result.timedOut,
    aborted: result.isCanceled,
    ...(failed ? { failure: result.shortMessage ?? "failed" } : {}),
  };
}
