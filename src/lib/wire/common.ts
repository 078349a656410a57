import { z } from "zod";

export { WIRE_VERSION } from "./version.ts";

/** A repository of a workspace or project (server-api.md 4.1). */
export const repoSchema = z.looseObject({
  url: z.string(),
  description: z.string().nullish(),
  ref: z.string().nullish(),
});
export type Repo = z.infer<typeof repoSchema>;

/** Body of an unknown route: plain text, its absence of JSON is what clients look at (server-api.md 1.2). */
export const NOT_FOUND_TEXT = "404 page not found\n";

export const ISSUE_STATUSES = ["backlog", "todo", "in_progress", "in_review", "done", "blocked", "cancelled"] as const;
export const PRIORITIES = ["urgent", "high", "medium", "low", "none"] as const;

export const TASK_STATES = [
  "queued",
  "deferred",
  "dispatched",
  "waiting_local_directory",
  "running",
  "completed",
  "failed",
  "cancelled",
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** States that never change again (server-api.md 11.1). */
export function isTerminalState(state: string): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** Number of a priority name in a task row: urgent 4 … none 0 (server-api.md 11.3). */
export function priorityNumber(name: string): number {
  const index = PRIORITIES.indexOf(name as (typeof PRIORITIES)[number]);
  return index === -1 ? 0 : PRIORITIES.length - 1 - index;
}

/** Capability tokens this daemon really implements; sent as `X-Client-Capabilities` (server-api.md 1.4). */
export const DAEMON_CAPABILITIES: readonly string[] = ["coalesced-comments-v1", "skill-bundles-v1", "agent-skill-v1", "local-worktree-v1"];

/** Families a runtime profile may name on real servers, and `acp`, which only the embedded server takes (decision 13). */
export const PROTOCOL_FAMILIES = [
  "claude",
  "codebuddy",
  "codex",
  "copilot",
  "opencode",
  "openclaw",
  "hermes",
  "pi",
  "cursor",
  "kimi",
  "kiro",
  "antigravity",
  "qoder",
  "deveco",
  "reasonix",
  "dsh",
  "qoderclicn",
  "traecli",
  "grok",
  "qwen",
  "qwenpaw",
  "mcode",
  "dim",
  "acp",
] as const;
