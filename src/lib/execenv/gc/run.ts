import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { errorText, systemCode } from "../../core/index.ts";
import { type Clock, type Env, lockHolder, removeEmptyDirectory } from "../../platform/index.ts";
import { type CleanPart, type CleanReport, cleanEnvironment } from "../ops/clean.ts";
import { type EnvSummary, surveyRoot } from "../ops/survey.ts";
import { removeStubborn } from "../ops/tree.ts";
import { ENTRY } from "../layout.ts";
import { type GcAction, type GcLimits, type GcParent, type ParentAnswer, decideGc } from "./decision.ts";
import { gcFacts } from "./facts.ts";

export interface GcRequest {
  readonly workspacesRoot: string;
  readonly limits: GcLimits & { readonly artifactPatterns: readonly string[] };
  /** Asks the server about one parent; null: offline, only what the disk tells decides. Rejections count as no answer. */
  readonly ask: ((parent: GcParent & { readonly workspaceId: string }) => Promise<ParentAnswer>) | null;
  /** Roots this process has marked as in use. */
  readonly isActive?: (root: string) => boolean;
  readonly workspaceId?: string | undefined;
  readonly dryRun: boolean;
  readonly clock: Clock;
  readonly env: Readonly<Env>;
  readonly signal?: AbortSignal;
}

export interface GcReport {
  readonly id: string;
  readonly path: string;
  readonly action: GcAction;
  readonly reason: string;
  /** `kept` for every action `skip`; else what became of it. */
  readonly status: "kept" | CleanReport["status"];
  readonly bytes: number;
  readonly error: string | null;
}

/**
 * One cycle of the collector over a workspaces root (execenv.md 15). Every deletion takes the environment's lock, so it is
 * safe beside a running daemon; work that exists nowhere else is never collected. One answer serves all roots of a parent.
 */
export async function collectGarbage(request: GcRequest): Promise<GcReport[]> {
  const { workspacesRoot, clock } = request;
  const nowMs = clock.now();
  const reports: GcReport[] = [];
  const answers = new Map<string, Promise<ParentAnswer>>();
  for (const env of surveyRoot(workspacesRoot, { nowMs, workspaceId: request.workspaceId })) {
    request.signal?.throwIfAborted();
    reports.push(await collectOne(env, request, answers, nowMs));
  }
  if (!request.dryRun) await sweepRemains(workspacesRoot, request.workspaceId);
  return reports;
}

async function collectOne(env: EnvSummary, request: GcRequest, answers: Map<string, Promise<ParentAnswer>>, nowMs: number): Promise<GcReport> {
  const report = (action: GcAction, reason: string, rest: Partial<GcReport> = {}): GcReport => {
    return { id: env.id, path: env.path, action, reason, status: "kept", bytes: 0, error: null, ...rest };
  };
  if (env.state === "foreign") return report("skip", "it holds nothing of ours");
  try {
    const facts = gcFacts(env.path, request.isActive);
    const answer = facts.parent === null || facts.active ? NO_ANSWER : await answerFor(env.workspace_id, facts.parent, request, answers);
    const decision = decideGc(facts, answer, request.limits, nowMs);
    if (decision.action === "skip") return report("skip", decision.reason);
    const cleaned = await cleanEnvironment(env, {
      workspacesRoot: request.workspacesRoot,
      part: PARTS[decision.action],
      artifactPatterns: request.limits.artifactPatterns,
      discardWork: false,
      dryRun: request.dryRun,
      clock: request.clock,
      env: request.env,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const error = cleaned.status === "failed" ? cleaned.reason : null;
    const reason = cleaned.status === "refused" || cleaned.status === "busy" ? `${decision.reason}, but ${cleaned.reason}` : decision.reason;
    return report(decision.action, reason, { status: cleaned.status, bytes: cleaned.bytes, error });
  } catch (error) {
    return report("skip", "it could not be looked at", { status: "failed", error: errorText(error) });
  }
}

const NO_ANSWER: ParentAnswer = { kind: "unknown" };
const PARTS: Readonly<Record<Exclude<GcAction, "skip">, CleanPart>> = {
  clean: "root",
  orphan: "root",
  artifacts: "artifacts",
  managed_artifacts: "managed_artifacts",
};

async function answerFor(workspaceId: string, parent: GcParent, request: GcRequest, answers: Map<string, Promise<ParentAnswer>>): Promise<ParentAnswer> {
  const { ask } = request;
  if (ask === null) return NO_ANSWER;
  const key = `${parent.kind}:${parent.id}`;
  const known = answers.get(key) ?? ask({ ...parent, workspaceId }).catch(() => NO_ANSWER);
  answers.set(key, known);
  return known;
}

/** What a deletion that was cut off left under its other name, and workspaces in which nothing is left. */
async function sweepRemains(workspacesRoot: string, only: string | undefined): Promise<void> {
  for (const workspace of only === undefined ? namesIn(workspacesRoot) : [only]) {
    if (workspace.startsWith(".")) continue;
    const directory = join(workspacesRoot, workspace);
    if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    for (const name of namesIn(directory)) {
      const path = join(directory, name);
      if (/^\.gc-.+-[0-9a-f]{12}$/.test(name) && lockHolder(join(path, ENTRY.lock)) === null) await removeStubborn(path);
    }
    if (namesIn(directory).length === 0) {
      await removeEmptyDirectory(directory).catch((error: unknown) => {
        if (!["ENOTEMPTY", "ENOENT", "EACCES"].includes(systemCode(error) ?? "")) throw error;
      });
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
