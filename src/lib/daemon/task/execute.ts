import { type AgentResult, type AgentRun, type UsageMap, getProvider } from "../../agents/index.ts";
import { isMulticaError } from "../../core/index.ts";
import { intendSuccess } from "./early.ts";
import { type Adopted, adoptedOf } from "./hosted/adopted.ts";
import type { AttemptFacts } from "./hosted/sealed.ts";
import { atWork, stopWork, takeOver } from "./hosted/take-over.ts";
import { type Drained, drain } from "./drain.ts";
import type { Turn } from "./agent-options.ts";
import { hasText } from "./kind.ts";
import { launch } from "./launch.ts";
import { endWorktree } from "./local-directory.ts";
import type { Prepared } from "./prepare.ts";
import { noteSession, priorSession } from "./resume.ts";
import { addUsage, mayRetryFresh, standing } from "./retry.ts";
import type { TaskRun } from "./run.ts";
import { sessionExists } from "./session-pin.ts";
import type { RunEnd } from "./settle.ts";

/** What one or two attempts came to, together. */
export interface Executed {
  readonly end: RunEnd;
  readonly usage: UsageMap;
  /** Why the work could not be brought home, although the agent ran: what it used is known all the same. */
  readonly fault?: unknown;
}

/** Where the ends of the agents' process trees are collected: known even when the run throws. */
export interface Trees {
  add(finished: Promise<void>): void;
}

/**
 * Runs the agent, and once more without its earlier session when that session alone was the trouble (daemon.md 11.13).
 * What is learned about the session on the way is written into the run's known facts.
 */
export async function execute(run: TaskRun, prepared: Prepared, trees: Trees): Promise<Executed> {
  const ends: Promise<void>[] = [];
  const add = (finished: Promise<void>): void => {
    ends.push(finished);
    trees.add(finished);
  };
  if (hasText(run.task.regenerate_quick_actions_for)) {
    // Asked of daemons that know how; as a turn of the conversation it would be an answer that nobody asked for.
    run.logger.warn("quick actions are not made anew here: the task is completed without an agent");
    return { end: { status: "completed", output: "", error: "" }, usage: {} };
  }
  const adopted = adoptedOf(run);
  const executed = await (adopted === null ? attempts(run, prepared, { add }) : goOn(run, prepared, { add }, adopted));
  try {
    await endWorktree(run, prepared.environment, ends);
    return executed;
  } catch (fault) {
    return { ...executed, fault };
  }
}

async function attempts(run: TaskRun, prepared: Prepared, trees: Trees): Promise<Executed> {
  const prior = run.task.prior_session_id ?? "";
  const gate = await priorSession(run, prepared.environment);
  const lost = gate.lost || run.task.prior_session_resume_unavailable === true;
  if (gate.lost) {
    run.logger.info("dropping the prior session: it cannot be continued in this environment", { session: prior, why: gate.why });
    run.transcript.notice(`The earlier session ${prior} cannot be continued: ${gate.why ?? "it is not here"}. A new one begins.`);
  }
  if (gate.sessionId !== undefined) run.logger.info("resuming session", { session: gate.sessionId });
  if (gate.sessionId !== undefined) run.known.sessionId = gate.sessionId;

  const facts: AttemptFacts = { asked: gate.sessionId };
  const turn: Turn = { resumeSessionId: gate.sessionId, resumeUnavailable: lost };
  return afterFirst(run, prepared, trees, facts, await attempt(run, prepared, (signal) => launch(run, prepared, turn, signal, facts), trees, facts));
}

/** Goes on with the attempt whose agent outlived an earlier daemon. */
async function goOn(run: TaskRun, prepared: Prepared, trees: Trees, adopted: Adopted): Promise<Executed> {
  const { attempt: facts } = adopted.sealed;
  const drained = await attempt(run, prepared, (signal) => takeOver(run, prepared, adopted, signal), trees, facts);
  if (facts.first === undefined) return afterFirst(run, prepared, trees, facts, drained);
  return afterSecond(run, prepared, facts.asked, facts.first, drained);
}

async function afterFirst(run: TaskRun, prepared: Prepared, trees: Trees, { asked }: AttemptFacts, first: Drained): Promise<Executed> {
  if (first.result === null) return { end: first, usage: {} };
  const retry = mayRetryFresh(first.result, {
    resumeRequested: asked !== undefined,
    toolCount: run.transcript.toolCount,
    interrupted: run.signal.aborted || first.status === "idle_watchdog",
    silentResume: getProvider(run.job.provider).silentResume === true,
  });
  if (!retry) return finish(run, prepared, first, first.result, first.result.usage);
  run.logger.warn("session resume failed, retrying with fresh session", { session: asked });
  const failed = { ...first, result: first.result };
  const second = await secondAttempt(run, prepared, trees, { asked, first: failed, earlier: { usage: first.result.usage, sessionId: asked ?? "" } });
  return afterSecond(run, prepared, asked, failed, second);
}

async function afterSecond(run: TaskRun, prepared: Prepared, asked: string | undefined, first: NonNullable<AttemptFacts["first"]>, second: Drained | null): Promise<Executed> {
  run.known.retiredSessionId = asked ?? "";
  // The old session is given up: only a new one may be offered for resume.
  run.known.sessionId = "";
  if (second === null || second.result === null) return finish(run, prepared, first, first.result, first.result.usage);
  const result = standing(first.result, second.result);
  return finish(run, prepared, result === first.result ? first : second, result, addUsage(first.result.usage, second.result.usage));
}

type Start = (signal: AbortSignal) => Promise<AgentRun>;

async function attempt(run: TaskRun, prepared: Prepared, start: Start, trees: Trees, { earlier }: AttemptFacts): Promise<Drained> {
  const { counters } = run.ctx;
  const abortAgent = new AbortController();
  const follow = (): void => abortAgent.abort(run.signal.reason);
  if (run.signal.aborted) follow();
  else run.signal.addEventListener("abort", follow, { once: true });
  try {
    const agent = await start(abortAgent.signal);
    trees.add(agent.finished);
    run.transcript.startRun();
    counters.running += 1;
    const log = atWork(run, agent);
    try {
      const drained = await drain({
        run,
        agent: { messages: agent.messages, result: agent.result, queued: () => agent.queued, succeeded: agent.succeeded, log },
        codexHome: prepared.environment.codexHome,
        abortAgent,
        onSuccess: (success) => {
          stopWork(run);
          intendSuccess(run, success, { codexHome: prepared.environment.codexHome, earlier });
        },
      });
      run.logger.info("agent finished", {
        status: drained.status,
        duration: drained.result?.durationMs ?? 0,
        tools: run.transcript.toolCount,
      });
      return drained;
    } finally {
      counters.running -= 1;
      stopWork(run);
    }
  } finally {
    run.signal.removeEventListener("abort", follow);
  }
}

/** The second attempt, or null when it could not even start: then the first one's error is the one to tell. */
async function secondAttempt(run: TaskRun, prepared: Prepared, trees: Trees, facts: AttemptFacts): Promise<Drained | null> {
  const turn: Turn = { resumeSessionId: undefined, resumeUnavailable: true };
  try {
    return await attempt(run, prepared, (signal) => launch(run, prepared, turn, signal, facts), trees, facts);
  } catch (error) {
    if (isMulticaError(error, "agent_left")) throw error;
    run.logger.warn("the second attempt could not start", { error, first: facts.first?.status });
    return null;
  }
}

async function finish(run: TaskRun, prepared: Prepared, end: Drained, result: AgentResult, usage: UsageMap): Promise<Executed> {
  const { known } = run;
  known.sessionId = result.sessionId;
  known.rolloutMissing = false;
  if (result.sessionId !== "" && !(await sessionExists(run.ctx.clock, prepared.environment.codexHome, result.sessionId))) {
    run.logger.warn("the session's file is not there; it is not offered for resume", { session: result.sessionId });
    known.rolloutMissing = true;
  }
  noteSession(run, prepared.environment);
  return { end: { status: end.status, output: end.output, error: end.error }, usage };
}
