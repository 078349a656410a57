import type { AgentMessage, AgentResult, MessagePlace, Terminal } from "../../agents/index.ts";
import { MulticaError, errorText, formatDuration } from "../../core/index.ts";
import { startBatcher } from "./batcher.ts";
import type { TaskRun } from "./run.ts";
import { startSessionPin } from "./session-pin.ts";
import type { RunEnd } from "./settle.ts";
import { type IdleFacts, startWatchdog } from "./watchdog.ts";

/** What the drain needs of a running agent. */
export interface Drainable {
  readonly messages: AsyncIterable<AgentMessage>;
  readonly result: Promise<AgentResult>;
  /** Messages that wait to be read. */
  readonly queued: () => number;
  /** The agent's own word of success, before its process has ended. */
  readonly succeeded: Promise<Terminal>;
  /** Where its log stands, if it has one that outlives this process. */
  readonly log?: AgentLog | undefined;
}

/** An agent under a host, which a later daemon can go on with. */
export interface AgentLog {
  /** The place of the last message that was read; null when it is not of the process that the task's row names. */
  place(): MessagePlace | null;
  acknowledge(place: MessagePlace): void;
  /** Everything that was read is in safe hands. */
  acknowledgeRead(): void;
  /** Leaves it to the next daemon. */
  letGo(): void;
  /** Aborted when that is to happen. */
  readonly leave: AbortSignal;
}

/** After the result the messages get 3 s to arrive (decision 19). */
const DRAIN_MS = 3000;
/** Beyond the wall clock of the run, and after an abort: an adapter that keeps its promise needs far less. */
const OVERTIME_MS = 30_000;

export interface DrainOptions {
  readonly run: TaskRun;
  readonly agent: Drainable;
  readonly codexHome: string | undefined;
  /** Ends the agent, not the whole run: what the idle watchdog pulls. */
  readonly abortAgent: AbortController;
  /** The agent said that it is done, and every message before that has been handed over. */
  readonly onSuccess: (success: Terminal) => void;
}

export interface Drained extends RunEnd {
  /** Null when the agent gave no result in the time there was. */
  readonly result: AgentResult | null;
}

/**
 * Reads a running agent to its end: numbers and sends its messages, pins its session, watches for silence.
 * Returns when the transcript has been handed over completely, so that whatever is reported next comes after it
 * (daemon.md 11.11). Never rejects.
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { run, agent, abortAgent } = options;
  const { clock } = run.ctx;
  const batcher = startBatcher({ clock, taskId: run.task.id, transcript: run.transcript, sink: run.sink, ...logMarks(run, agent.log) });
  const pin = startSessionPin({ run, codexHome: options.codexHome });
  let idle: IdleFacts | null = null;
  const watchdog = startWatchdog({
    clock,
    windowMs: run.ctx.config.idleWatchdogMs,
    toolWindowMs: run.ctx.config.toolWatchdogMs,
    toolsInFlight: () => run.transcript.toolsInFlight,
    queued: agent.queued,
    onFire: (facts) => {
      idle = facts;
      run.logger.warn("idle watchdog firing", { idle_for: facts.idleMs, threshold: facts.thresholdMs, tool_in_flight: facts.toolInFlight });
      abortAgent.abort(new MulticaError("idle_watchdog", idleText(facts)));
    },
  });
  const over = new AbortController();
  const reading = readMessages(run, agent, over.signal, (message) => {
    watchdog.touch();
    if (message.kind === "status" && message.sessionId !== "") pin.announce(message.sessionId);
  });
  void agent.succeeded.then(async (success) => {
    watchdog.stop();
    // The messages end with the success: the ending that is written down next must not overtake them.
    await reading;
    await batcher.finish();
    if (idle === null && !over.signal.aborted) options.onSuccess(success);
  });
  try {
    const result = await Promise.race([resultOrLimit(options), left(agent.log)]);
    await Promise.race([reading, clock.sleep(DRAIN_MS, over.signal).catch(() => undefined)]);
    return endOf(run, result, idle, abortAgent.signal);
  } finally {
    over.abort();
    watchdog.stop();
    await pin.finish();
    await (agent.log?.leave.aborted === true ? batcher.pause() : batcher.finish());
  }
}

/** What goes with each batch so that a later daemon continues exactly behind it, and what the log may forget. */
function logMarks(run: TaskRun, log: AgentLog | undefined): Pick<Parameters<typeof startBatcher>[0], "mark" | "onSafe"> {
  if (log === undefined) return {};
  return {
    mark: () => {
      const place = log.place();
      return place === null ? null : { seq: place.position, ...run.transcript.mark };
    },
    onSafe: (mark) => {
      const place = log.place();
      if (place === null || mark === null) return;
      log.acknowledge({ ...place, position: mark.seq });
      if (mark.held === 0 && mark.message === place.ordinal) log.acknowledgeRead();
    },
  };
}

/** Rejects with `agent_left` when the agent is left to the next daemon; pending for ever otherwise. */
function left(log: AgentLog | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (log === undefined) return;
    const leave = (): void => {
      log.letGo();
      reject(new MulticaError("agent_left", "the agent is left to the next daemon"));
    };
    if (log.leave.aborted) leave();
    else log.leave.addEventListener("abort", leave, { once: true });
  });
}

async function readMessages(run: TaskRun, agent: Drainable, over: AbortSignal, seen: (message: AgentMessage) => void): Promise<void> {
  try {
    for await (const message of agent.messages) {
      // Too late: the transcript has been closed and may already belong to a second attempt.
      if (over.aborted) return;
      seen(message);
      logMessage(run, message);
      run.transcript.add(message, agent.log?.place()?.ordinal);
    }
  } catch (error) {
    run.logger.warn("the agent's messages ended early", { error: errorText(error) });
  }
}

/** Nothing an agent or a user wrote goes to the log but at debug level; the logger redacts that. */
function logMessage(run: TaskRun, message: AgentMessage): void {
  if (message.kind === "tool_use") run.logger.info(`tool #${run.transcript.toolCount + 1}: ${message.tool.slice(0, 80)}`);
  else if (message.kind === "error") run.logger.warn("the agent reported an error");
  else if (message.kind === "log") run.logger.debug("agent", { level: message.level, text: message.content.slice(0, 200) });
}

/** The agent's result, or null when it stays away too long after the wall clock or an abort: the run must end all the same. */
async function resultOrLimit({ run, agent, abortAgent }: DrainOptions): Promise<AgentResult | null> {
  const { clock, config } = run.ctx;
  const limit = Promise.withResolvers<null>();
  const cancels: (() => void)[] = [];
  const arm = (ms: number): void => void cancels.push(clock.setTimer(ms, () => limit.resolve(null)));
  const onAbort = (): void => arm(OVERTIME_MS);
  if (config.agentTimeoutMs > 0) arm(config.agentTimeoutMs + OVERTIME_MS);
  if (abortAgent.signal.aborted) onAbort();
  else abortAgent.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([agent.result, limit.promise]);
  } finally {
    for (const cancel of cancels) cancel();
    abortAgent.signal.removeEventListener("abort", onAbort);
  }
}

function endOf(run: TaskRun, result: AgentResult | null, idle: IdleFacts | null, aborted: AbortSignal): Drained {
  if (idle !== null) {
    // Also for a result that still arrived: the agent was ended by us, what it says then is neither its answer nor the cause.
    return { status: "idle_watchdog", output: "", error: idleText(idle), result };
  }
  if (result !== null) return { status: result.status, output: result.output, error: result.error, result };
  if (aborted.aborted) return { status: "cancelled", output: "", error: "", result: null };
  run.logger.warn("the agent gave no result");
  return { status: "timeout", output: "", error: "agent did not produce result within drain timeout", result: null };
}

function idleText(facts: IdleFacts): string {
  return (
    `agent produced no new messages for ${formatDuration(facts.thresholdMs)} and message queue was empty; ` +
    "force-stopped by idle watchdog"
  );
}
