import { errorText } from "../../core/index.ts";
import type { Env } from "../../platform/index.ts";
import { agentEnvironment } from "../launch/environment.ts";
import { pickVersion } from "./version.ts";

const PROBE_TIMEOUT_MS = 10_000;

export type ProbeResult = { readonly ok: true; readonly version: string } | {
      readonly ok: false;
      readonly reason: string;
      /** A program ran and took its time: whatever is wrong, it can be executed. */
      readonly answered: boolean;
    };

export interface ProbeOptions {
  readonly executable: string;
  /** Fixed arguments of a profile, already filtered; they come before the probe's own. */
  readonly prefix?: readonly string[];
  readonly probeArgs: readonly string[];
  readonly env: Env;
  readonly cwd: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks an agent for its version (agents.md 3.5). Never throws: a hang, a crash or a file that cannot be run is a reason.
 * The whole group is ended at the timeout, so that a shim's grandchild on stdout cannot hold us.
 */
export async function probeVersion(options: ProbeOptions): Promise<ProbeResult> {
  const timeoutMs = options.timeoutMs ?? PROBE_TIMEOUT_MS;
  try {
    const { runShort } = await import("../../platform/process/run-short.ts");
    const run = await runShort({
      command: options.executable,
      args: [...(options.prefix ?? []), ...options.probeArgs],
      cwd: options.cwd,
      env: agentEnvironment({ inherited: options.env, provider: {}, task: {} }),
      timeoutMs,
      maxBytes: 1 << 20,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (run.timedOut) return { ok: false, answered: true, reason: `version probe timed out after ${timeoutMs} ms` };
    const version = pickVersion(run.stdout, run.stderr);
    if (run.code === 0) return { ok: true, version };
    const how = run.failure ?? (run.code === null ? "it was ended by a signal" : `exit status ${run.code}`);
    return { ok: false, answered: false, reason: `version probe failed: ${how}` };
  } catch (error) {
    return { ok: false, answered: false, reason: `version probe failed: ${errorText(error)}` };
  }
}
