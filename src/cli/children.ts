import type { Issue } from "../lib/wire/index.ts";

export interface StageGroup {
  readonly stage: number;
  readonly total: number;
  readonly done: number;
  readonly issues: readonly Issue[];
}

export interface Children {
  readonly total: number;
  readonly stages: readonly StageGroup[];
  readonly unstaged: readonly Issue[];
}

/** Sub-issues by stage, the lowest first, those without one last; nothing else changes their order (cli.md 5.8). */
export function sortByStage(issues: readonly Issue[]): Issue[] {
  return issues.toSorted((a, b) => rank(a) - rank(b));
}

/** The document that agents read: each stage with how many of it are through. */
export function groupByStage(issues: readonly Issue[]): Children {
  const stages = Map.groupBy(issues.filter((issue) => isStage(issue.stage)), (issue) => issue.stage ?? 0);
  return {
    total: issues.length,
    stages: [...stages].sort(([a], [b]) => a - b).map(([stage, list]) => ({ stage, total: list.length, done: list.filter(isDone).length, issues: list })),
    unstaged: issues.filter((issue) => !isStage(issue.stage)),
  };
}

function isStage(stage: number | null | undefined): stage is number {
  return stage !== null && stage !== undefined;
}

function isDone(issue: Issue): boolean {
  const category = issue["status_category"];
  return ["done", "cancelled"].includes(typeof category === "string" && category !== "" ? category : issue.status);
}

function rank(issue: Issue): number {
  return issue.stage ?? Number.MAX_SAFE_INTEGER;
}
