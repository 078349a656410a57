import { statfs } from "node:fs/promises";
import { treeBytes } from "../ops/tree.ts";
import type { EnvSummary } from "../ops/survey.ts";
import type { GcDecision, ParentAnswer } from "./decision.ts";
import type { GcReport, GcRequest, Looked } from "./types.ts";

interface Cycle {
  readonly envs: readonly EnvSummary[];
  /** Of the cycle so far, one for each of `envs`; what goes early is written over it. */
  readonly reports: GcReport[];
  readonly request: GcRequest;
  readonly answers: ReadonlyMap<string, ParentAnswer>;
  readonly nowMs: number;
  readonly look: (env: EnvSummary, request: GcRequest, answers: ReadonlyMap<string, ParentAnswer>, nowMs: number) => Looked;
  readonly act: (env: EnvSummary, decision: GcDecision, request: GcRequest) => Promise<GcReport>;
}

/**
 * What the table keeps for now may go before its time when space is short, the longest unused first: things a build makes
 * again, then environments whose parent has ended. Nothing goes that would never go: what is in use, what nobody can be
 * asked about, and work that exists nowhere else stays, even if that leaves the disk full.
 */
export async function relieve(cycle: Cycle): Promise<void> {
  const { request, envs, reports } = cycle;
  let missing = await missingBytes(request, envs);
  if (missing <= 0) return;
  const idle = envs
    .map((env, at) => ({ env, at }))
    .filter(({ env, at }) => reports[at]?.status === "kept" && env.state !== "foreign" && env.completed_at !== "")
    .sort((a, b) => (a.env.completed_at < b.env.completed_at ? -1 : 1));
  for (const early of [artifactsEarly, rootEarly]) {
    for (const { env, at } of idle) {
      if (missing <= 0) return;
      request.signal?.throwIfAborted();
      const decision = early(cycle.look(env, request, cycle.answers, cycle.nowMs));
      if (decision === null) continue;
      const report = await cycle.act(env, decision, request);
      if (report.bytes === 0 && report.status !== "failed") continue;
      reports[at] = report;
      missing -= report.bytes;
    }
  }
}

async function missingBytes({ pressure, workspacesRoot }: GcRequest, envs: readonly EnvSummary[]): Promise<number> {
  if (pressure === undefined) return 0;
  let used = 0;
  if (pressure.maxBytes > 0) for (const env of envs) used += await treeBytes(env.path);
  const over = pressure.maxBytes > 0 ? used - pressure.maxBytes : 0;
  if (pressure.minFreeBytes <= 0) return over;
  const { bavail, bsize } = await statfs(workspacesRoot);
  return Math.max(over, pressure.minFreeBytes - bavail * bsize);
}

const WHY = "space is short";

function artifactsEarly({ facts }: Looked): GcDecision | null {
  return facts.active || facts.completedAtMs === null ? null : { action: "artifacts", reason: WHY };
}

const ENDED: Readonly<Record<string, readonly string[]>> = { issue: ["done", "cancelled"], chat: ["archived"] };

/** Kinds that are never used again go at once anyway. */
function rootEarly({ facts, answer }: Looked): GcDecision | null {
  if (facts.active || facts.localDirectory || facts.parent === null || answer.kind !== "found") return null;
  return ENDED[facts.parent.kind]?.includes(answer.status) === true ? { action: "clean", reason: `its ${facts.parent.kind} is ${answer.status}, and ${WHY}` } : null;
}
