import { MulticaError } from "../../core/index.ts";
import { envValue } from "../../platform/index.ts";
import type { HostFacts } from "../types.ts";

export type SandboxMode = "workspace-write" | "danger-full-access";

export interface SandboxPolicy {
  readonly mode: SandboxMode;
  /** Why, for the log. */
  readonly reason: string;
}

/** First Codex release whose macOS sandbox honours network access; none is known. */
const SEATBELT_NETWORK_FROM: string | null = null;

/**
 * The sandbox a task's Codex runs in (execenv.md 7.9). Tasks need the network (the `multica` commands use it), so a
 * platform whose sandbox cannot allow it gets none. `MULTICA_CODEX_SANDBOX` overrides; a bad value is `bad_setting`.
 */
export function sandboxPolicy(host: Pick<HostFacts, "env" | "platform">, cliVersion: string | undefined): SandboxPolicy {
  const setting = envValue(host.env, "MULTICA_CODEX_SANDBOX") ?? "auto";
  if (setting === "workspace-write" || setting === "danger-full-access") {
    return { mode: setting, reason: "MULTICA_CODEX_SANDBOX says so" };
  }
  if (setting !== "auto") {
    throw new MulticaError("bad_setting", `MULTICA_CODEX_SANDBOX is ${JSON.stringify(setting)}`, {
      suggestions: ["Use auto, workspace-write or danger-full-access."],
    });
  }
  if (host.platform !== "darwin") return { mode: "workspace-write", reason: `the sandbox on ${host.platform} allows network access` };
  if (SEATBELT_NETWORK_FROM !== null && atLeast(cliVersion ?? "", SEATBELT_NETWORK_FROM)) {
    return { mode: "workspace-write", reason: `Codex ${cliVersion} honours network access on macOS` };
  }
  return { mode: "danger-full-access", reason: "this Codex is not known to honour network access in its macOS sandbox" };
}

/** Compares the first `x.y.z` in each text; an unreadable version is never new enough. */
export function atLeast(version: string, minimum: string): boolean {
  const have = parts(version);
  const need = parts(minimum);
  if (have === undefined || need === undefined) return false;
  for (let index = 0; index < 3; index += 1) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function parts(text: string): number[] | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : match.slice(1).map(Number);
}
