/** What the files of a root say, for the collector. */
export interface GcFacts {
  /** Held by an execution, or marked by this process. */
  readonly active: boolean;
  /** From `.gc_meta.json`; null: there is none, it cannot be read, or it names no parent. */
  readonly parent: GcParent | null;
  readonly completedAtMs: number | null;
  /** When `.gc_meta.json` was written; null: there is none. */
  readonly recordedAtMs: number | null;
  /** The task worked in a user's directory in place. */
  readonly localDirectory: boolean;
  readonly mtimeMs: number;
  /** `codex-home/.sandbox-bin` is there. */
  readonly managedArtifact: boolean;
}

export interface GcParent {
  readonly kind: "issue" | "chat" | "autopilot_run" | "quick_create";
  readonly id: string;
}

/** The server's word on a parent. `unknown`: it could not be asked, or said something that is no answer. */
export type ParentAnswer =
  | { readonly kind: "found"; readonly status: string; readonly changedAtMs: number | null }
  | { readonly kind: "not_found" }
  | { readonly kind: "unknown" };

/** artifacts: what a build makes again · managed_artifacts: only what the agent's program makes again. */
export type GcAction = "skip" | "clean" | "orphan" | "artifacts" | "managed_artifacts";

export interface GcLimits {
  readonly ttlMs: number;
  readonly orphanTtlMs: number;
  /** 0: nothing is deleted as a thing that can be made again. */
  readonly artifactTtlMs: number;
  readonly completedTaskTtlMs: number;
}

export interface GcDecision {
  readonly action: GcAction;
  /** For people: why. */
  readonly reason: string;
}

const ISSUE_STATES = new Set(["backlog", "todo", "in_progress", "in_review", "blocked", "done", "cancelled"]);
const RUN_ENDED = new Set(["completed", "failed", "skipped", "issue_created"]);
const TASK_ENDED = new Set(["completed", "failed", "cancelled"]);

/** What becomes of one env root (execenv.md 15.2). Pure; what cannot be told is always kept. */
export function decideGc(facts: GcFacts, answer: ParentAnswer, limits: GcLimits, nowMs: number): GcDecision {
  if (facts.active) return { action: "skip", reason: "in use" };
  const decision = forLocal(facts, byParent(facts, answer, limits, nowMs), limits);
  if (decision.action !== "skip" || !facts.managedArtifact || limits.artifactTtlMs === 0) return decision;
  // Without a time of completion the record's own age decides, and more slowly (daemon.md 14.4).
  const old = facts.completedAtMs === null ? olderThan(facts.recordedAtMs, limits.orphanTtlMs, nowMs) : olderThan(facts.completedAtMs, limits.artifactTtlMs, nowMs);
  return old ? { action: "managed_artifacts", reason: `${decision.reason}; its agent's helper programs can be made again` } : decision;
}

function byParent(facts: GcFacts, answer: ParentAnswer, limits: GcLimits, nowMs: number): GcDecision {
  const orphan = (why: string): GcDecision =>
    olderThan(facts.mtimeMs, limits.orphanTtlMs, nowMs)
      ? { action: "orphan", reason: why }
      : { action: "skip", reason: `${why}, but touched not long ago` };
  if (facts.parent === null) return orphan("no record of what it was for");
  if (answer.kind === "unknown") return { action: "skip", reason: "the server gave no answer" };
  switch (facts.parent.kind) {
    case "issue":
      return answer.kind === "not_found" ? orphan("its issue is not to be found") : byIssue(facts, answer, limits, nowMs);
    case "chat":
      // A chat that is gone was deleted by a person.
      return answer.kind === "not_found" ? { action: "clean", reason: "its chat was deleted" } : byChat(answer, limits, nowMs);
    case "autopilot_run":
      return answer.kind === "not_found" ? orphan("its autopilot run is not to be found") : ended(answer.status, RUN_ENDED, "run");
    case "quick_create":
      return answer.kind === "not_found" ? orphan("its task is not to be found") : ended(answer.status, TASK_ENDED, "task");
  }
}

type Found = Extract<ParentAnswer, { kind: "found" }>;

function byIssue(facts: GcFacts, answer: Found, limits: GcLimits, nowMs: number): GcDecision {
  const { status } = answer;
  const closed = status === "done" || status === "cancelled";
  if (closed && olderThan(answer.changedAtMs, limits.ttlMs, nowMs)) return { action: "clean", reason: `its issue is ${status}` };
  const completed = limits.completedTaskTtlMs > 0 && ISSUE_STATES.has(status) && !facts.localDirectory;
  if (completed && olderThan(facts.completedAtMs, limits.completedTaskTtlMs, nowMs)) {
    return { action: "clean", reason: "its last task ended long ago" };
  }
  if (limits.artifactTtlMs > 0 && ISSUE_STATES.has(status) && olderThan(facts.completedAtMs, limits.artifactTtlMs, nowMs)) {
    return { action: "artifacts", reason: "its last task ended a while ago" };
  }
  return { action: "skip", reason: ISSUE_STATES.has(status) ? `its issue is ${status}` : `the issue's state ${JSON.stringify(status)} is unknown here` };
}

function byChat(answer: Found, limits: GcLimits, nowMs: number): GcDecision {
  const archived = answer.status === "archived" && olderThan(answer.changedAtMs, limits.ttlMs, nowMs);
  return archived ? { action: "clean", reason: "its chat is archived" } : { action: "skip", reason: `its chat is ${answer.status}` };
}

function ended(status: string, ends: ReadonlySet<string>, what: string): GcDecision {
  return ends.has(status) ? { action: "clean", reason: `its ${what} is ${status}` } : { action: "skip", reason: `its ${what} is ${status}` };
}

/** The root of a task in a user's directory stays: it alone knows what was put there. */
function forLocal(facts: GcFacts, decision: GcDecision, limits: GcLimits): GcDecision {
  if (!facts.localDirectory) return decision;
  if (limits.artifactTtlMs === 0) return { action: "skip", reason: "it works in a user's directory" };
  if (decision.action === "clean") return { action: "artifacts", reason: `${decision.reason}, but it works in a user's directory` };
  if (decision.action === "orphan") return { action: "skip", reason: `${decision.reason}, but it works in a user's directory` };
  return decision;
}

function olderThan(atMs: number | null, ttlMs: number, nowMs: number): boolean {
  return atMs !== null && atMs < nowMs - ttlMs;
}
