import { type ReducerTimeouts, type RunOptions, getProvider } from "../../agents/index.ts";
import { errorText } from "../../core/index.ts";
import { ownSkills, threadName } from "./facts.ts";
import { taskFailure } from "./failure.ts";
import { chooseModel } from "./model-choice.ts";
import type { Prepared } from "./prepare.ts";
import { processNotice } from "./processes.ts";
import { continuityText } from "./prompts/blocks.ts";
import { buildPrompt } from "./prompts/index.ts";
import type { TaskRun } from "./run.ts";

export interface Turn {
  /** The session to continue; absent = a new one. */
  readonly resumeSessionId: string | undefined;
  /** There was an earlier session, and it is lost. */
  readonly resumeUnavailable: boolean;
}

/** What one turn asks of the agent (daemon.md 11.10). `brief` is empty when the agent reads it from its file. */
export async function runOptions(run: TaskRun, prepared: Prepared, turn: Turn, brief: string, signal: AbortSignal): Promise<RunOptions> {
  const { task, job } = run;
  const inline = getProvider(job.provider).systemPrompt === "inline";
  const prompt = promptOf(run, prepared, turn);
  const { model, thinking, tier } = await chooseModel(run, prepared.environment.workdir, signal);
  const name = threadName(task);
  const resumed = turn.resumeSessionId !== undefined;
  return {
    cwd: prepared.environment.workdir,
    prompt: brief === "" || inline ? prompt : `${brief}\n---\n\n${prompt}`,
    timeouts: timeouts(run),
    cliVersion: job.launch.version,
    // The prompt carries the notice when the loss is known; an agent that finds it out itself needs the words then.
    ...(resumed ? { resumeExpected: true, continuityNotice: continuityText(task) } : {}),
    ...(turn.resumeSessionId === undefined ? {} : { resumeSessionId: turn.resumeSessionId }),
    ...(brief === "" || !inline ? {} : { systemPrompt: brief }),
    ...(job.agent.mcp_config === undefined || job.agent.mcp_config === null ? {} : { managedMcp: true, mcpConfig: job.agent.mcp_config }),
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
