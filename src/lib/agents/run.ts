import { statSync } from "node:fs";
import { MulticaError, TASK_MARKER, errorText } from "../core/index.ts";
import { type Clock, type ProcessIdentity, isExecutableFile, processIdentity } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { Attempt, type AttemptEnd } from "./attempt.ts";
import type { AgentMessage, AgentResult, RunOptions } from "./contract.ts";
import type { LaunchPlan } from "./launch/plan.ts";
import { type MessagePlace, MessageQueue } from "./message-queue.ts";
import type { ProviderSpec } from "./provider.ts";
import type { AbortReason, SecondAttempt, Terminal } from "./reducer.ts";
import { childTransport } from "./transport/child.ts";
import type { AgentTransport } from "./transport/transport.ts";

export interface AgentRunOptions {
  readonly spec: ProviderSpec;
  readonly plan: LaunchPlan;
  readonly options: RunOptions;
  readonly clock: Clock;
  readonly logger?: Pick<Logger, "debug" | "info" | "warn" | "error">;
  /** Aborting it cancels the run; a result still comes. */
  readonly signal?: AbortSignal;
  /** Hard limit of the run in milliseconds; absent or 0 = none. */
  readonly deadlineMs?: number;
  /** How the process is reached; `child` starts it as a child of this process, which is also what happens without. */
  readonly open?: (plan: LaunchPlan, child: () => Promise<AgentTransport>) => Promise<AgentTransport>;
  /** The process runs already, and an earlier owner has read its first messages: it is taken over, not started. */
  readonly takeOver?: TakeOver;
  readonly random?: () => number;
  /** What the end of the process tree leaves alone although it bears the task's marker (decision 17); asked when it ends. */
  readonly spare?: () => { readonly name: string; readonly values: ReadonlySet<string> };
}

export interface TakeOver {
  readonly transport: AgentTransport;
  /** How long it had run by then, in milliseconds. */
  readonly elapsedMs: number;
  /** Messages that are in safe hands: the one behind this number is the next a reader wants. */
  readonly handedOver: number;
}

/** An agent at work. */
export interface AgentRun {
  /** For one reader; ends before or together with the result. Reading slowly loses nothing. */
  readonly messages: AsyncIterable<AgentMessage>;
  /** Messages nobody has read yet. */
  readonly queued: number;
  /** Where the last message stands that was read. */
  readonly place: MessagePlace;
  /** Tells the log of the process, if it has one, that everything up to a place is in safe hands. */
  acknowledge(place: MessagePlace): void;
  /** The same for all that was read so far: no message of it is on its way. */
  acknowledgeRead(): void;
  /** Leaves the process to a later owner, who goes on with it from its log. Neither result nor messages come then. */
  letGo(): void;
  /** Exactly one, and never rejected. */
  readonly result: Promise<AgentResult>;
  /**
   * The agent's own word of success, as soon as it was read and while its process may still live; pending for ever when
   * there is none. The messages end with it, and the result says the same later.
   */
  readonly succeeded: Promise<Terminal>;
  readonly pid: number;
  readonly identity: ProcessIdentity | null;
  /** Resolves only when the whole process tree is proved gone: only then may the slot be given away. */
  readonly finished: Promise<void>;
}

/** Linux refuses a single argument of 128 KiB or more. */
const MAX_ARGUMENT = 128 * 1024;

/**
 * Starts an agent and drives its adapter (agents.md 2.1). Rejects, before any process exists or lives on, with
 * `executable_not_found`, `workdir_missing`, `argument_too_large`, `spawn_failed` or `aborted`; once it resolves,
 * everything is told through `result`.
 */
export async function startAgentRun(run: AgentRunOptions): Promise<AgentRun> {
  const open = (plan: LaunchPlan): Promise<AgentTransport> => {
    const child = (): Promise<AgentTransport> => openChild(run, plan);
    return run.open === undefined ? child() : run.open(plan, child);
  };
  if (run.takeOver === undefined) {
    checkLaunch(run);
    logCommand(run);
  }
  const first = run.takeOver?.transport ?? (await open(run.plan));
  const driver = new RunDriver(run, open, first);
  const ended = driver.drive();
  return {
    messages: driver.queue,
    get queued() {
      return driver.queue.size;
    },
    get place() {
      return driver.queue.taken;
    },
    acknowledge: (place) => driver.acknowledge(place),
    acknowledgeRead: () => driver.acknowledgeRead(),
    letGo: () => driver.letGo(),
    result: ended.then(({ result }) => result),
    succeeded: driver.succeeded,
    get pid() {
      return driver.pid;
    },
    get identity() {
      return driver.identity;
    },
    finished: ended.then(({ gone }) => gone).then(() => undefined),
  };
}

class RunDriver {
  readonly queue = new MessageQueue();
  readonly #succeeded = Promise.withResolvers<Terminal>();
  readonly #run: AgentRunOptions;
  readonly #open: (plan: LaunchPlan) => Promise<AgentTransport>;
  readonly #stop = new AbortController();
  readonly #started: number;
  #reason: AbortReason | null = null;
  #pid = 0;
  #transport: AgentTransport;
  #identity: ProcessIdentity | null = null;
  #attempt: Attempt;

  constructor(run: AgentRunOptions, open: (plan: LaunchPlan) => Promise<AgentTransport>, first: AgentTransport) {
    this.#run = run;
    this.#open = open;
    this.#transport = first;
    this.#started = run.clock.monotonic() - (run.takeOver?.elapsedMs ?? 0);
    this.#attempt = this.#begin(first, run.options);
  }

  get pid(): number {
    return this.#pid;
  }

  /** The record of a place may hold the beginning of what follows: the one before it may go. */
  acknowledge(place: MessagePlace): void {
    const log = this.#transport.log;
    if (log !== undefined && log.id === place.log && place.position > 1) log.acknowledge(place.position - 1);
  }

  get succeeded(): Promise<Terminal> {
    return this.#succeeded.promise;
  }

  get identity(): ProcessIdentity | null {
    return this.#identity;
  }

  acknowledgeRead(): void {
    if (this.queue.size === 0) this.acknowledge({ log: this.#transport.log?.id ?? "", ordinal: 0, position: this.#attempt.position });
  }

  letGo(): void {
    this.#stop.abort();
    this.#attempt.letGo();
    this.queue.close();
  }

  async drive(): Promise<{ result: AgentResult; gone: Promise<unknown> }> {
    const release = this.#watch();
    const first = await this.#attempt.end();
    const again = first.terminal.again;
    const retried = again === undefined ? null : await this.#again(first, again);
    release();
    this.queue.close();
    const last = retried?.end ?? first;
    const result = this.#result(last, retried?.note ?? "");
    return { result, gone: Promise.all([first.gone, last.gone]) };
  }

  /** Cancellation and the deadline, until the returned function is called. */
  #watch(): () => void {
    const { signal, clock, deadlineMs } = this.#run;
    const onAbort = (): void => this.#abort({ kind: "cancel" });
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const limit = deadlineMs ?? 0;
    const left = Math.max(1, limit - (clock.monotonic() - this.#started));
    const cancel = limit > 0 ? clock.setTimer(left, () => this.#abort({ kind: "deadline", afterMs: limit })) : () => undefined;
    return () => {
      signal?.removeEventListener("abort", onAbort);
      cancel();
    };
  }

  #abort(reason: AbortReason): void {
    this.#reason ??= reason;
    this.#stop.abort();
    this.#attempt.abort(reason);
  }

  /** At most once, and only over the proved dead body of the first process (agents.md 14.10). */
  async #again(first: AttemptEnd, again: SecondAttempt): Promise<{ end: AttemptEnd; note: string } | null> {
    if (again.ifStderr !== undefined && !first.stderr.includes(again.ifStderr)) return null;
    const stay = (note: string): { end: AttemptEnd; note: string } => ({ end: first, note });
    if (!(await first.cleanup).gone) return stay("; retry suppressed: processes of the first attempt survive");
    if (this.#reason !== null) return stay("; retry suppressed: the run was ended");
    const { minDelayMs, maxDelayMs } = again;
    const delay = minDelayMs + (maxDelayMs - minDelayMs) * (this.#run.random ?? Math.random)();
    this.#log("warn", "agent is started a second time", { delay_ms: Math.round(delay), without_resume: again.withoutResume });
    try {
      await this.#run.clock.sleep(delay, this.#stop.signal);
      const transport = await this.#open(this.#run.plan);
      this.#attempt = this.#begin(transport, again.withoutResume ? withoutResume(this.#run.options) : this.#run.options);
      if (this.#reason !== null) this.#attempt.abort(this.#reason);
      return { end: await this.#attempt.end(), note: "" };
    } catch (error) {
      return stay(`; retry could not start: ${errorText(error)}`);
    }
  }

  #begin(transport: AgentTransport, options: RunOptions): Attempt {
    const { spec, clock } = this.#run;
    this.#pid = transport.pid;
    this.#identity = processIdentity(transport.pid);
    this.#transport = transport;
    this.queue.begin(transport.log?.id ?? "", transport === this.#run.takeOver?.transport ? this.#run.takeOver.handedOver : 0);
    const attempt = new Attempt({
      transport,
      reducer: spec.reducer(options),
      limits: spec.process,
      clock,
      emit: (message, position) => this.queue.push(message, position),
      log: (level, text, fields) => this.#log(level, text, fields),
    });
    void attempt.decided.then((terminal) => {
      // Only an explicit success, and only one that nothing follows.
      if (terminal.status !== "completed" || terminal.again !== undefined) return;
      this.queue.close();
      this.#succeeded.resolve(terminal);
    });
    return attempt;
  }

  #result({ terminal, exit, stderr }: AttemptEnd, note: string): AgentResult {
    const { clock, spec } = this.#run;
    this.#log("info", "agent run ended", { status: terminal.status, exit, stderr_bytes: stderr.bytes });
    const completed = terminal.status === "completed";
    return {
      status: terminal.status,
      output: terminal.output,
      error: completed ? "" : terminal.error + stderrNote(terminal, spec.stderrLabel, stderr.tail()) + note,
      durationMs: Math.round(clock.monotonic() - this.#started),
      sessionId: terminal.sessionId,
      usage: terminal.usage,
      resumeRejected: terminal.resumeRejected,
      exit,
    };
  }

  #log(level: "debug" | "info" | "warn" | "error", text: string, fields: Record<string, unknown> = {}): void {
    this.#run.logger?.[level](text, { provider: this.#run.spec.id, pid: this.#pid, ...fields });
  }
}

function stderrNote(terminal: Terminal, label: string | null, tail: string): string {
  return terminal.withStderr === true && label !== null && tail !== "" && terminal.error !== "" ? `; ${label} stderr: ${tail}` : "";
}

function withoutResume(options: RunOptions): RunOptions {
  const { resumeSessionId: _dropped, ...rest } = options;
  return rest;
}

function openChild({ spec, options, clock, spare }: AgentRunOptions, plan: LaunchPlan): Promise<AgentTransport> {
  return childTransport({
    command: plan.executable,
    args: plan.args,
    cwd: options.cwd,
    env: plan.env,
    lineMax: spec.lineMax,
    markerName: TASK_MARKER,
    spare,
    clock,
  });
}

function checkLaunch({ spec, plan, options, signal }: AgentRunOptions): void {
  if (signal?.aborted) throw new MulticaError("aborted", "execution cancelled");
  if (!isExecutableFile(plan.executable)) {
    throw new MulticaError("executable_not_found", `${spec.id} executable not found at "${plan.executable}"`, {
      suggestions: [`Install ${spec.displayName} or set the path of its command.`],
    });
  }
  if (!isDirectory(options.cwd)) throw new MulticaError("workdir_missing", `the workdir does not exist: ${options.cwd}`);
  const longest = Math.max(0, ...plan.args.map((arg) => Buffer.byteLength(arg)));
  if (longest >= MAX_ARGUMENT) {
    throw new MulticaError("argument_too_large", `${spec.id} prompt too large for a command line (${longest} bytes)`);
  }
}

/** Flags and subcommands only; the rest of a command line may be anybody's secret (agents.md 4.4). */
function logCommand({ spec, plan, options, logger }: AgentRunOptions): void {
  logger?.info("agent command", {
    provider: spec.id,
    executable: plan.executable,
    args: plan.shownArgs,
    arg_count: plan.args.length,
    prompt_bytes: Buffer.byteLength(options.prompt),
  });
  if (plan.dropped.length > 0) logger?.warn("arguments left out: the protocol owns them", { provider: spec.id, flags: plan.dropped });
  if (plan.overridden.length > 0) logger?.warn("fixed arguments are overridden by the run's own", { provider: spec.id, flags: plan.overridden });
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
