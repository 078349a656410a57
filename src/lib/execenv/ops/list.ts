import { type Target, inspectEnvironment } from "../checks/index.ts";
import { artifactsOf } from "./clean.ts";
import { type EnvSummary, surveyRoot } from "./survey.ts";
import { bytesOf, treeBytes } from "./tree.ts";

export interface ListedEnv extends EnvSummary {
  readonly size_bytes?: number;
  /** Part of `size_bytes` that `clean --artifacts` would free. */
  readonly artifact_bytes?: number;
  readonly findings?: { readonly error: number; readonly warn: number; readonly info: number };
}

export interface EnvList {
  readonly root: string;
  readonly generated_at: string;
  readonly envs: readonly ListedEnv[];
  readonly totals: { readonly envs: number; readonly active: number; readonly size_bytes?: number };
}

/** The environments of a root that `accept` lets through, with sizes and counts of findings when asked for. */
export async function listEnvironments(options: {
  readonly workspacesRoot: string;
  readonly nowMs: number;
  readonly workspaceId: string | undefined;
  readonly accept: (env: EnvSummary) => boolean;
  readonly withSize: boolean;
  /** Directory names that count as artifacts; for sizes. */
  readonly artifactPatterns?: readonly string[];
  /** How each is looked at; null: no findings are counted. */
  readonly check: ((env: EnvSummary) => Target) | null;
  readonly sort: "id" | "age" | "size";
}): Promise<EnvList> {
  const { workspacesRoot: root, nowMs, workspaceId } = options;
  const envs: ListedEnv[] = [];
  for (const env of surveyRoot(root, { nowMs, workspaceId }).filter(options.accept)) {
    envs.push({
      ...env,
      ...(options.withSize ? await sizes(env, options.artifactPatterns ?? []) : {}),
      ...(options.check === null || env.state === "foreign" ? {} : { findings: await count(options.check(env)) }),
    });
  }
  if (options.sort === "size") envs.sort((a, b) => (b.size_bytes ?? 0) - (a.size_bytes ?? 0));
  if (options.sort === "age") envs.sort((a, b) => (a.last_used_at < b.last_used_at ? -1 : 1));
  const size = options.withSize ? { size_bytes: envs.reduce((total, env) => total + (env.size_bytes ?? 0), 0) } : {};
  const active = envs.filter((env) => env.state === "active").length;
  return { root, generated_at: new Date(nowMs).toISOString(), envs, totals: { envs: envs.length, active, ...size } };
}

async function sizes(env: EnvSummary, patterns: readonly string[]): Promise<{ size_bytes: number; artifact_bytes: number }> {
  const artifacts = env.state === "foreign" ? [] : await artifactsOf(env.path, patterns);
  return { size_bytes: await treeBytes(env.path), artifact_bytes: await bytesOf(artifacts) };
}

async function count(target: Target): Promise<{ error: number; warn: number; info: number }> {
  const { findings, status } = await inspectEnvironment(target);
  const total = { error: status === "error" ? 1 : 0, warn: 0, info: 0 };
  for (const finding of findings) total[finding.severity] += 1;
  return total;
}
