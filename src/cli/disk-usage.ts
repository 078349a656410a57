import { createGcAsk } from "../lib/api/gc-check.ts";
import { type Env, type RunContext, readSettings, resolveGcSettings, resolveStateDir, resolveWorkspacesRoot } from "../lib/config/index.ts";
import { errorText } from "../lib/core/index.ts";
import { type DiskUsage, measureDiskUsage } from "../lib/execenv/index.ts";
import { systemClock } from "../lib/platform/index.ts";
import { knownProfiles } from "./profiles.ts";
import { plainHttp } from "./session.ts";

interface Machine {
  readonly context: RunContext;
  readonly env: Env;
  readonly home: string;
}

export interface ProfileUsage {
  readonly profile: string;
  readonly report: DiskUsage;
}

/** What one root takes; `root` names another than the profile's. With `ask` the state of each issue is added, and what went wrong is told. */
export async function usageOf(machine: Machine, options: { readonly root?: string | undefined; readonly ask: boolean; readonly warn: (text: string) => void }): Promise<DiskUsage> {
  const { context, env } = machine;
  const root = rootOf(machine, context.profile, options.root);
  const usage = await measureDiskUsage(root, { artifactPatterns: resolveGcSettings(env).artifactPatterns, nowMs: systemClock.now() });
  if (!options.ask || context.managed || context.token === undefined || context.serverUrl === undefined) return usage;
  try {
    return await withStates(usage, createGcAsk(plainHttp(context, context.serverUrl, context.token)), options.warn);
  } catch (error) {
    options.warn(`the server was not asked: ${errorText(error)}`);
    return usage;
  }
}

/** Every profile's root that exists, the default one first; roots that are one and the same once. */
export async function usageOfAll(machine: Machine): Promise<ProfileUsage[]> {
  const seen = new Set<string>();
  const reports: ProfileUsage[] = [];
  for (const profile of ["", ...knownProfiles(machine)]) {
    const root = rootOf(machine, profile, undefined);
    if (seen.has(root)) continue;
    seen.add(root);
    const report = await measureDiskUsage(root, { artifactPatterns: resolveGcSettings(machine.env).artifactPatterns, nowMs: systemClock.now() });
    if (profile === "" || report.total_task_count > 0) reports.push({ profile, report });
  }
  return reports;
}

function rootOf({ env, home }: Machine, profile: string, flag: string | undefined): string {
  return resolveWorkspacesRoot({ flags: { workspacesRoot: flag }, env, settings: readSettings(resolveStateDir({ env, profile, home })), profile, home });
}

async function withStates(usage: DiskUsage, ask: ReturnType<typeof createGcAsk>, warn: (text: string) => void): Promise<DiskUsage> {
  const issues = usage.tasks.flatMap((task) => (task.kind === "issue" && task.parent_id !== undefined ? [{ workspaceId: task.workspace_id, kind: "issue" as const, id: task.parent_id }] : []));
  const answers = await ask(issues);
  if (issues.some((issue) => (answers.get(`issue:${issue.id}`)?.kind ?? "unknown") === "unknown")) warn("the server did not tell the state of every issue");
  const tasks = usage.tasks.map((task) => {
    const answer = answers.get(`issue:${task.parent_id ?? ""}`);
    return task.kind === "issue" && answer?.kind === "found" ? { ...task, parent_status: answer.status } : task;
  });
  return { ...usage, tasks };
}

/** The document of `--all-profiles`. */
export function allProfiles(roots: readonly ProfileUsage[]): Record<string, unknown> {
  const total = (pick: (report: DiskUsage) => number): number => roots.reduce((sum, { report }) => sum + pick(report), 0);
  const size = total((report) => report.total_size_bytes);
  const artifacts = total((report) => report.total_artifact_size_bytes);
  return {
    generated_at: new Date(systemClock.now()).toISOString(),
    artifact_patterns: roots[0]?.report.artifact_patterns ?? [],
    roots,
    total_task_count: total((report) => report.total_task_count),
    total_workspace_count: total((report) => report.total_workspace_count),
    total_size_bytes: size,
    total_artifact_size_bytes: artifacts,
    total_artifact_ratio: size === 0 ? 0 : artifacts / size,
  };
}
