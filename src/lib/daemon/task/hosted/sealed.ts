import type { AgentResult, LaunchPlan, RunOptions } from "../../../agents/index.ts";
import { isObject, parseJson } from "../../../core/index.ts";
import type { Environment, TaskContext } from "../../../execenv/index.ts";
import { type Task, taskSchema } from "../../../wire/index.ts";
import type { Job } from "../admit.ts";
import type { Drained } from "../drain.ts";
import type { Earlier } from "../early.ts";
import type { Turn } from "../agent-options.ts";
import type { Prepared } from "../prepare.ts";
import type { Known, TaskRun } from "../run.ts";

/** Which attempt of a run a process is, and what came before it. */
export interface AttemptFacts {
  /** The session that was asked to be continued. */
  readonly asked: string | undefined;
  /** For the second attempt: what the first one came to. */
  readonly first?: (Drained & { readonly result: AgentResult }) | undefined;
  readonly earlier?: Earlier | undefined;
}

/**
 * Everything a later daemon needs to go on with an agent. It holds secrets (the task's token, the agent's environment) and
 * prompts: the host keeps it in its memory, no file ever has it.
 */
export interface Sealed {
  readonly v: 1;
  readonly task: Task;
  readonly job: Job;
  readonly known: Known;
  readonly toolCount: number;
  readonly environment: Omit<Environment, "lock" | "release"> & { readonly lock: { readonly path: string } };
  readonly context: TaskContext;
  readonly tempDir: string;
  readonly options: RunOptions;
  readonly plan: LaunchPlan;
  readonly turn: Turn;
  readonly attempt: AttemptFacts;
}

export function seal(run: TaskRun, prepared: Prepared, facts: Pick<Sealed, "options" | "plan" | "turn" | "attempt">): string {
  const { environment, context, tempDir } = prepared;
  // Skills are on disk by now, and may be large.
  const lean: TaskContext = { ...context, skills: (context.skills ?? []).map((skill) => ({ ...skill, content: "", files: [] })) };
  const agent = { ...run.job.agent, skills: [] };
  const sealed: Sealed = {
    v: 1,
    task: { ...run.task, agent },
    job: { ...run.job, agent },
    known: run.known,
    toolCount: run.transcript.toolCount,
    environment,
    context: lean,
    tempDir,
    ...facts,
  };
  return JSON.stringify(sealed);
}

/** Null for a text of another version. It is our own word from our own process: only its shape is looked at. */
export function unseal(text: string): Sealed | null {
  const value = parseJson(text);
  if (!isObject(value) || value["v"] !== 1 || !isObject(value["options"]) || !isObject(value["plan"]) || !isObject(value["environment"])) return null;
  return taskSchema.safeParse(value["task"]).success ? (value as unknown as Sealed) : null;
}
