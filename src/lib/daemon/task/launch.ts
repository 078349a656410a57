import { type AgentRun, type ReducerTimeouts, type RunOptions, getProvider, planLaunch, startAgentRun } from "../../agents/index.ts";
import { errorText } from "../../core/index.ts";
import { renderBrief, writeBrief } from "../../execenv/index.ts";
import { registeredProcesses } from "../exec/spare.ts";
import { buildAgentEnv, workEnv } from "./agent-env.ts";
import { ownSkills, threadName } from "./facts.ts";
import { stageError, taskFailure } from "./failure.ts";
import type { Prepared } from "./prepare.ts";
import { continuityText } from "./prompts/blocks.ts";
import { buildPrompt } from "./prompts/index.ts";
import { processNotice } from "./processes.ts";
import { type TaskRun, journal } from "./run.ts";

export interface Turn {
  /** The session to continue; absent = a new one. */
  readonly resumeSessionId: string | undefined;
  /** There was an earlier session, and it is lost. */
  readonly resumeUnavailable: boolean;
}

/**
 * Starts the agent's process for one turn: brief, prompt, environment, command line (daemon.md 11.4, steps 19–27).
 * `signal` ends this process. The process is in the task's row before its first message is read.
 */
export async function launch(run: TaskRun, prepared: Prepared, turn: Turn, signal: AbortSignal): Promise<AgentRun> {
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
  const options = runOptions(run, prepared, turn, brief);
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
    const agent = await startAgentRun({ spec, plan, options, clock: ctx.clock, logger, signal, deadlineMs: ctx.config.agentTimeoutMs, spare: () => registeredProcesses(ctx.exec) });
    recordAgent(run, agent);
    return agent;
  } catch (error) {
    if (signal.aborted) throw error;
    throw stageError("start agent", error);
  }
}

/** Who the process is, so that a daemon that starts after a crash of this one can find it and end it. */
function recordAgent(run: TaskRun, agent: AgentRun): void {
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

function runOptions(run: TaskRun, prepared: Prepared, turn: Turn, brief: string): RunOptions {
  const { ctx, task, job } = run;
  const inline = getProvider(job.provider).systemPrompt === "inline";
  const prompt = promptOf(run, prepared, turn);
  const model = (job.agent.model ?? "").trim() || (ctx.config.agentModels[job.provider] ?? "");
  const name = threadName(task);
  const resumed = turn.resumeSessionId !== undefined;
  const thinking = (job.agent.thinking_level ?? "").trim();
  const tier = (job.agent.service_tier ?? "").trim();
  return {
    cwd: prepared.environment.workdir,
    prompt: brief === "" || inline ? prompt : `${brief}\n---\n\n${prompt}`,
    timeouts: timeouts(run),
    cliVersion: job.launch.version,
    // The prompt carries the notice when the loss is known; an agent that finds it out itself needs the words then.
    ...(resumed ? { resumeExpected: true, continuityNotice: continuityText(task) } : {}),
    ...(turn.resumeSessionId === undefined ? {} : { resumeSessionId: turn.resumeSessionId }),
    ...(brief === "" || !inline ? {} : { systemPrompt: brief }),
    ...(job.agent.mcp_config === undefined || job.agent.mcp_config === null ? {} : { managedMcp: true }),
    ...(model === "" ? {} : { model }),
    ...(name === "" ? {} : { threadName: name }),
    ...(thinking === "" ? {} : { thinkingLevel: thinking }),
    ...(tier === "" ? {} : { serviceTier: tier }),
  };
}

function promptOf(run: TaskRun, prepared: Prepared, turn: Turn): string {
  const { agent, leader } = run.job;
  try {
    const prompt = buildPrompt(run.task, {
      resumed: turn.resumeSessionId !== undefined,
      resumeUnavailable: turn.resumeUnavailable,
      leader,
      self: agent,
      skills: ownSkills(agent),
      sharedDirectory: prepared.environment.sharedDirectory,
    });
    const notice = processNotice(run);
    return notice === "" ? prompt : `${prompt}\n\n${notice}`;
  } catch (error) {
    throw taskFailure("agent_error.unknown", errorText(error), error);
  }
}

function timeouts({ ctx }: TaskRun): ReducerTimeouts {
  const { codexHandshakeMs, codexFirstTurnMs, codexSemanticInactivityMs } = ctx.config;
  return {
    handshakeMs: codexHandshakeMs,
    semanticInactivityMs: codexSemanticInactivityMs,
    ...(codexFirstTurnMs > 0 ? { firstTurnMs: codexFirstTurnMs } : {}),
  };
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
