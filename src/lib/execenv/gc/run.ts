import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { errorText, systemCode } from "../../core/index.ts";
import { lockHolder, removeEmptyDirectory, removeStubborn } from "../../platform/index.ts";
import { type CleanPart, cleanEnvironment } from "../ops/clean.ts";
import { type EnvSummary, surveyRoot } from "../ops/survey.ts";
import { ENTRY } from "../layout.ts";
import { type GcAction, type GcDecision, type ParentAnswer, decideGc } from "./decision.ts";
import { gcFacts } from "./facts.ts";
import { relieve } from "./pressure.ts";
import type { AskedParent, GcReport, GcRequest, Looked } from "./types.ts";

/**
 * One cycle of the collector over a workspaces root (execenv.md 15). Every deletion takes the environment's lock, so it is
 * safe beside a running daemon; work that exists nowhere else is never collected. One answer serves all roots of a parent.
 */
export async function collectGarbage(request: GcRequest): Promise<GcReport[]> {
  const { workspacesRoot, clock } = request;
  const nowMs = clock.now();
  const envs = surveyRoot(workspacesRoot, { nowMs, workspaceId: request.workspaceId });
  const answers = await askForAll(envs, request);
  const reports: GcReport[] = [];
  for (const env of envs) {
    request.signal?.throwIfAborted();
    reports.push(await collectOne(env, request, answers, nowMs));
  }
  if (request.pressure !== undefined) await relieve({ envs, reports, request, answers, nowMs, look, act });
  if (!request.dryRun) await sweepRemains(workspacesRoot, request.workspaceId);
  return reports;
}

async function askForAll(envs: readonly EnvSummary[], request: GcRequest): Promise<ReadonlyMap<string, ParentAnswer>> {
  if (request.ask === null) return new Map();
  const parents = new Map<string, AskedParent>();
  for (const env of envs) {
    if (env.state === "foreign" || env.state === "active" || env.kind === "unknown" || env.parent_id === "") continue;
    parents.set(`${env.kind}:${env.parent_id}`, { workspaceId: env.workspace_id, kind: env.kind, id: env.parent_id });
  }
  return await request.ask([...parents.values()]).catch(() => new Map<string, ParentAnswer>());
}

function look(env: EnvSummary, request: GcRequest, answers: ReadonlyMap<string, ParentAnswer>, nowMs: number): Looked {
  const facts = gcFacts(env.path, request.isActive);
  const answer = facts.parent === null ? NO_ANSWER : (answers.get(`${facts.parent.kind}:${facts.parent.id}`) ?? NO_ANSWER);
  return { facts, answer, decision: decideGc(facts, answer, request.limits, nowMs) };
}

async function collectOne(env: EnvSummary, request: GcRequest, answers: ReadonlyMap<string, ParentAnswer>, nowMs: number): Promise<GcReport> {
  if (env.state === "foreign") return reportOf(env, "skip", "it holds nothing of ours");
  try {
    return await act(env, look(env, request, answers, nowMs).decision, request);
  } catch (error) {
    return reportOf(env, "skip", "it could not be looked at", { status: "failed", error: errorText(error) });
  }
}

function reportOf(env: EnvSummary, action: GcAction, reason: string, rest: Partial<GcReport> = {}): GcReport {
  return { id: env.id, path: env.path, action, reason, status: "kept", bytes: 0, error: null, ...rest };
}

async function act(env: EnvSummary, decision: GcDecision, request: GcRequest): Promise<GcReport> {
  if (decision.action === "skip") return reportOf(env, "skip", decision.reason);
  const cleaned = await cleanEnvironment(env, {
    workspacesRoot: request.workspacesRoot,
    part: PARTS[decision.action],
    artifactPatterns: request.limits.artifactPatterns,
    discardWork: false,
    dryRun: request.dryRun,
    clock: request.clock,
    env: request.env,
    ...(request.isActive === undefined ? {} : { isActive: request.isActive }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const error = cleaned.status === "failed" ? cleaned.reason : null;
  const reason = cleaned.status === "refused" || cleaned.status === "busy" ? `${decision.reason}, but ${cleaned.reason}` : decision.reason;
  return reportOf(env, decision.action, reason, { status: cleaned.status, bytes: cleaned.bytes, error });
}

const NO_ANSWER: ParentAnswer = { kind: "unknown" };
const PARTS: Readonly<Record<Exclude<GcAction, "skip">, CleanPart>> = {
  clean: "root",
  orphan: "root",
  artifacts: "artifacts",
  managed_artifacts: "managed_artifacts",
};

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
