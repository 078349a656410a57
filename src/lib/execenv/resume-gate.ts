import { statSync } from "node:fs";
import { hasRollout } from "./codex/rollouts.ts";
import type { Environment } from "./types.ts";

export interface ResumeDecision {
  /** The session to resume; absent = start a new one. */
  readonly sessionId?: string;
  /** A session was asked for and is dropped: the agent must be told (execenv.md 10.5). */
  readonly lost: boolean;
}

/**
 * Whether the agent's earlier session can be continued in this environment (execenv.md 6.3). Agents keep sessions by
 * directory, so only the very directory of that session will do; Codex needs the rollout of that session as well.
 */
export function resumeGate(environment: Pick<Environment, "workdir" | "codexHome">, prior: { readonly sessionId: string | null | undefined; readonly workDir: string | null | undefined }): ResumeDecision {
  const id = prior.sessionId?.trim() ?? "";
  if (id === "") return { lost: false };
  if (!isSameDirectory(environment.workdir, prior.workDir?.trim() ?? "")) return { lost: true };
  if (environment.codexHome !== undefined && !hasRollout(environment.codexHome, id)) return { lost: true };
  return { sessionId: id, lost: false };
}

/** True when both names lead to one existing directory, however they are spelled. */
export function isSameDirectory(left: string, right: string): boolean {
  if (left === "" || right === "") return false;
  try {
    const [one, other] = [statSync(left), statSync(right)];
    return one.isDirectory() && one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}
