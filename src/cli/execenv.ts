import { dirname, resolve } from "node:path";
import { type RunContext, envText, readSettings, resolveWorkspacesRoot } from "../lib/config/index.ts";
import { EXIT, MulticaError } from "../lib/core/index.ts";
import type { EnvSummary, Target } from "../lib/execenv/index.ts";
import { platformName, realPathIfExists, systemClock } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import { Flags } from "./oclif.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where environments are looked for. */
export const rootFlags = {
  root: Flags.string({ description: "workspaces root (MULTICA_WORKSPACES_ROOT)", helpValue: "<dir>", aliases: ["workspaces-root"] }),
};

export interface Place {
  readonly workspacesRoot: string;
  /** Inside a task: the only environment it may look at; null for a person. */
  readonly ownRoot: string | null;
  readonly env: Env;
  readonly home: string;
}

/**
 * The workspaces root of this run: flag, environment, settings, default. Inside a task it is the task's own, and the
 * task's environment is the only one it may look at (decision 8); a task that cannot tell which one that is sees none.
 */
export function openPlace(input: { context: RunContext; env: Env; home: string; root: string | undefined }): Place {
  const { context, env, home } = input;
  const settings = context.managed ? {} : readSettings(context.stateDir);
  const own = envText(env, "MULTICA_TASK_CONFIG_ROOT");
  const inTask = own !== undefined || context.taskId !== undefined || context.agentId !== undefined;
  const flag = input.root ?? (inTask ? envText(env, "MULTICA_TASK_WORKSPACES_ROOT") : undefined);
  const root = resolveWorkspacesRoot({ flags: { workspacesRoot: flag }, env, settings, profile: context.profile, home });
  if (inTask && own === undefined) {
    throw new MulticaError("not_in_task", "this task does not know its environment (MULTICA_TASK_CONFIG_ROOT is not set), and no other one is its business");
  }
  return { workspacesRoot: realPathIfExists(root) ?? root, ownRoot: own === undefined ? null : dirname(resolve(own)), env, home };
}

/** Refuses commands that change environments in a task. A marker alone does not count: an operator may stand inside the root. */
export function refuseInTask(env: Env, words: string): void {
  const sign = ["MULTICA_TASK_ID", "MULTICA_AGENT_ID", "MULTICA_TASK_CONFIG_ROOT"].find((name) => envText(env, name) !== undefined);
  if (sign === undefined) return;
  throw new MulticaError("not_in_task", `multica ${words} is not available inside a daemon-managed task`, {
    suggestions: [`If this is no task, unset ${sign}.`],
  });
}

/** Leaves only what this caller may see. */
export function visible(place: Place, envs: readonly EnvSummary[]): EnvSummary[] {
  return envs.filter((env) => place.ownRoot === null || realPathIfExists(env.path) === realPathIfExists(place.ownRoot));
}

/** What the checks need to know about this machine. */
export function targetOf(place: Place, env: EnvSummary, sharedHome?: string): Target {
  return {
    root: env.path,
    workspacesRoot: place.workspacesRoot,
    host: { env: place.env, home: place.home, platform: platformName() },
    ...(sharedHome === undefined ? {} : { sharedHome: resolve(sharedHome) }),
    now: () => systemClock.now(),
    logger: silentLogger,
  };
}

/** The worst of several outcomes: failed, busy, refused, findings remain, done (execenv.md 17, decision 4). */
export function worstExit(exits: readonly number[]): number {
  return [EXIT.failed, EXIT.conflict, EXIT.validation, EXIT.findings].find((exit) => exits.includes(exit)) ?? EXIT.done;
}

/** The environments that selectors name, each once, as far as this caller may see them; `one`: several are an error. */
export async function selectFor(place: Place, selectors: readonly string[] | "all", options: { cwd: string; one?: boolean }): Promise<EnvSummary[]> {
  const { selectEnvironments, surveyRoot } = await import("../lib/execenv/index.ts");
  const nowMs = systemClock.now();
  let surveyed: EnvSummary[] | undefined;
  const survey = (): EnvSummary[] => (surveyed ??= surveyRoot(place.workspacesRoot, { nowMs }));
  if (selectors === "all") return visible(place, survey());
  const found = selectors.flatMap((selector) => selectEnvironments(selector, { workspacesRoot: place.workspacesRoot, cwd: options.cwd, nowMs, survey }));
  const envs = [...new Map(found.map((env) => [env.id, env])).values()];
  if (visible(place, envs).length < envs.length) {
    throw new MulticaError("not_in_task", "a task may look at its own environment only");
  }
  if (options.one !== true || envs.length <= 1) return envs;
  throw new MulticaError("env_ambiguous", `several environments match: ${envs.map((env) => env.id).join(", ")}`, { exit: EXIT.usage });
}
