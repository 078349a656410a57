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
 * directory, so only a reused workdir will do; Codex needs the rollout of that session as well.
 */
export function resumeGate(environment: Environment, priorSessionId: string | undefined): ResumeDecision {
  const id = priorSessionId?.trim() ?? "";
  if (id === "") return { lost: false };
  if (!environment.reused) return { lost: true };
  if (environment.codexHome !== undefined && !hasRollout(environment.codexHome, id)) return { lost: true };
  return { sessionId: id, lost: false };
}
