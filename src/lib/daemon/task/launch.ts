import { type AgentRun, getProvider, planLaunch, startAgentRun } from "../../agents/index.ts";
import { errorText } from "../../core/index.ts";
import { renderBrief, writeBrief } from "../../execenv/index.ts";
import { registeredProcesses } from "../exec/spare.ts";
import { buildAgentEnv, workEnv } from "./agent-env.ts";
import { type Turn, runOptions } from "./agent-options.ts";
import { stageError } from "./failure.ts";
import { hostOpener } from "./hosted/open.ts";
import type { AttemptFacts } from "./hosted/sealed.ts";
import type { Prepared } from "./prepare.ts";
import { type TaskRun, journal } from "./run.ts";

/**
 * Starts the agent's process for one turn: brief, prompt, environment, command line (daemon.md 11.4, steps 19–27).
 * `signal` ends this process. The process is in the task's row before its first message is read.
 */
export async function launch(run: TaskRun, prepared: Prepared, turn: Turn, signal: AbortSignal, attempt: AttemptFacts): Promise<AgentRun> {
  const { ctx, job, logger } = run;
  const { environment } = prepared;
  const spec = getProvider(job.provider);
  // Nothing of ours goes into a directory that others work in: there the brief comes with the prompt, whoever reads it.
  const contextFile = environment.sharedDirectory ? "" : spec.contextFile;
  await writeBrief(environment, { contextFile, task: prepared.context }).catch((error: unknown) =>
    logger.warn("runtime brief not written", { error: errorText(error) }),
  );
  // Only agents that read no context file get the brief here as well: the others would see it twice.
  const brief = spec.systemPrompt === "inline" || environment.sharedDirectory ? renderBrief(prepared.context, environment.skills) : "";
  const options = await runOptions(run, prepared, turn, brief, signal);
  const taskEnv = agentEnv(run, prepared);
  const plan = planLaunch({
    spec,
    executable: job.launch.path,
    prefix: job.launch.fixedArgs,
    extraArgs: ctx.config.agentArgs[job.provider] ?? [],
    customArgs: job.agent.custom_args ?? [],
    options,
    inheritedEnv: ctx.env,
    taskEnv,
  });
  const custom = Object.keys(job.agent.custom_env ?? {}).filter((name) => name in taskEnv);
  await environment.shell?.({ inherited: Object.keys(plan.env).filter((name) => !(name in taskEnv)), set: Object.keys(taskEnv).filter((name) => !custom.includes(name)), custom });
  logger.info("starting agent", {
    provider: job.provider,
    workdir: environment.workdir,
    model: options.model ?? "",
    reused: environment.reused,
    resuming: turn.resumeSessionId !== undefined,
  });
  try {
    const open = hostOpener(run, prepared, spec, { options, turn, attempt });
    const agent = await startAgentRun({
      ...{ spec, plan, options, clock: ctx.clock, logger, signal, deadlineMs: ctx.config.agentTimeoutMs },
      spare: () => registeredProcesses(ctx.exec),
      ...(open === undefined ? {} : { open }),
    });
    recordAgent(run, agent);
    return agent;
  } catch (error) {
    if (signal.aborted) throw error;
    throw stageError("start agent", error);
  }
}

/** Who the process is, so that a daemon that starts after a crash of this one can find it and end it. */
export function recordAgent(run: TaskRun, agent: AgentRun): void {
  const { identity } = agent;
  if (identity === null) return;
  journal(run, "agent process", (state) =>
    state.updateTask(run.task.id, {
      agent_pid: identity.pid,
      agent_start_key: identity.startKey,
      agent_boot_id: identity.bootId,
      agent_pgid: identity.pid,
    }),
  );
}

function agentEnv(run: TaskRun, prepared: Prepared): Record<string, string> {
  const { ctx, task, job } = run;
  const { env, refused } = buildAgentEnv({
    path: ctx.env["PATH"] ?? "",
    taskToken: job.token,
    serverUrl: ctx.serverUrl,
    localPort: ctx.localPort,
    workspaceId: task.workspace_id,
    agentId: job.agent.id,
    agentName: job.agent.name,
    taskId: task.id,
    slot: run.slot,
    tempDir: prepared.tempDir,
    launcherDir: ctx.launcherDir,
    environment: prepared.environment.env,
    work: workEnv(task),
    customEnv: job.agent.custom_env ?? {},
  });
  for (const key of refused) run.logger.warn("blocked environment key skipped", { key });
  return env;
}
