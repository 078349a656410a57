import { isPoisonedError } from "../../../core/index.ts";

const UNSAFE_REASONS: ReadonlySet<string> = new Set([
  "iteration_limit",
  "agent_fallback_message",
  "api_invalid_request",
  "codex_semantic_inactivity",
  "agent_error.context_overflow",
  "codex_resume_oversized",
]);

/** An earlier task of the same agent and issue that has a session, as the choice needs it. */
export interface ResumeRow {
  readonly status: string;
  readonly failureReason: string | null;
  readonly error: string | null;
  readonly runtimeId: string;
  readonly sessionId: string;
  readonly workDir: string | null;
  /** The daemon said that the session's file is gone, or that a later run gave the session up. */
  readonly sessionLost: boolean;
}

export interface ResumeChoice {
  readonly sessionId: string | null;
  readonly workDir: string | null;
  /** There was a more recent conversation that cannot be continued; the agent is told so. */
  readonly unavailable: boolean;
}

/** True for a failure that would repeat when its session were continued (server-api.md 11.7). */
export function isResumeUnsafeReason(reason: string): boolean {
  return UNSAFE_REASONS.has(reason);
}

/**
 * The session and directory a new run continues. `rows` come newest first; each session is judged by its newest row
 * only, and the session is offered on the runtime that made it alone, the directory in any case (server-api.md 11.7).
 */
export function chooseResume(rows: readonly ResumeRow[], runtimeId: string): ResumeChoice {
  const judged = new Set<string>();
  let unavailable = false;
  for (const row of rows) {
    if (judged.has(row.sessionId)) continue;
    judged.add(row.sessionId);
    if (row.sessionLost) {
      unavailable = true;
      continue;
    }
    if (!isResumeSafe(row)) continue;
    return { sessionId: row.runtimeId === runtimeId ? row.sessionId : null, workDir: row.workDir, unavailable };
  }
  return { sessionId: null, workDir: null, unavailable };
}

function isResumeSafe(row: ResumeRow): boolean {
  if (row.status === "completed" || row.status === "cancelled") return true;
  if (row.status !== "failed") return false;
  return !isResumeUnsafeReason(row.failureReason ?? "") && !isPoisonedHistory(row.error ?? "");
}

/** Texts by which a provider says that the stored conversation itself is what it refuses (server-api.md 12.5). */
function isPoisonedHistory(error: string): boolean {
  return isPoisonedError(error) || error.toLowerCase().includes("could not resolve authentication method");
}
