import { errorText } from "../core/index.ts";
import type { Clock } from "../platform/index.ts";
import type { AgentMessage, ExitFacts, LogLevel } from "./contract.ts";
import type { ProcessLimits } from "./provider.ts";
import type { AbortReason, AgentEvent, Effect, ReducerRun, Terminal } from "./reducer.ts";
import { Diary, type DiaryEvent } from "./diary.ts";
import { StderrTail } from "./stderr-tail.ts";
import type { AgentTransport, TreeEnd } from "./transport/transport.ts";

export interface AttemptInput {
  readonly transport: AgentTransport;
  readonly reducer: ReducerRun;
  readonly limits: ProcessLimits;
  readonly clock: Clock;
  /** `position`: the log's record whose line said it; 0 without a log. */
  readonly emit: (message: AgentMessage, position: number) => void;
  readonly log: (level: LogLevel, text: string, fields?: Record<string, unknown>) => void;
}

export interface AttemptEnd {
  readonly terminal: Terminal;
  /** Null while the process had not ended when the result stood. */
  readonly exit: ExitFacts | null;
  readonly stderr: StderrTail;
  /** The first try to end the tree; `gone` false when something survived it. */
  readonly cleanup: Promise<TreeEnd>;
  /** Resolves only when nothing of the tree lives any more. */
  readonly gone: Promise<void>;
}

const EXPIRE = "\0expire";
const KILL_SLACK_MS = 500;
const SURVIVOR_WAIT_MS = 1000;
const SURVIVOR_WAIT_MAX_MS = 30_000;

/**
 * One process and one adapter, from the first write to the end of the tree. Events reach the adapter one at a time;
 * after its `finish` it hears nothing more, while the pipes are still read so that the agent cannot block on them.
 */
export class Attempt {
  readonly #in: AttemptInput;
  readonly #timers = new Map<string, () => void>();
  /** Timers that were set while the past is repeated: time does not pass there. */
  readonly #waiting = new Map<string, { readonly ms: number; readonly fn: () => void }>();
  readonly #stderr = new StderrTail();
  readonly #decided = Promise.withResolvers<Terminal>();
  readonly #drained: Promise<void>;
  readonly #diary: Diary;
  #position = 0;
  #left = false;
  #terminal: Terminal | null = null;
  #exit: ExitFacts | null = null;
  #aborting = false;

  constructor(input: AttemptInput) {
    this.#in = input;
    this.#diary = new Diary(input.transport.log);
    this.#drained = this.#drain();
    void input.transport.inputFailed.then((message) => this.#happen({ type: "inputFailed", message }));
    void input.transport.log?.live?.then(() => this.#goLive());
    this.#apply(input.reducer.initial);
  }

  /** The last record of the log whose line the adapter was told. */
  get position(): number {
    return this.#position;
  }

  /** What the adapter made of it, before the process has ended. */
  get decided(): Promise<Terminal> {
    return this.#decided.promise;
  }

  /** Stops listening and leaves the process to a later owner: nothing is decided any more, nothing is ended. */
  letGo(): void {
    this.#left = true;
    for (const id of [...this.#timers.keys(), ...this.#waiting.keys()]) this.#stopTimer(id);
    this.#in.transport.closePipes();
  }

  /** Asks the agent to stop; the signals follow when the cancel window is over. Later calls change nothing. */
  abort(reason: AbortReason): void {
    if (this.#isOver() || this.#aborting) return;
    this.#aborting = true;
    if (this.#diary.repeating) this.#diary.wish = reason;
    else this.#happen({ type: "abort", reason });
  }

  /**
   * Waits for the outcome. A run that ended by itself gets the pipe delay for its last words; one that we end gets the
   * ladder, and its result does not wait longer than that.
   */
  async end(): Promise<AttemptEnd> {
    const { transport, limits, clock } = this.#in;
    const terminal = await this.#decided.promise;
    transport.endInput();
    const ours = terminal.status === "aborted" || terminal.status === "timeout";
    if (!ours) await settled(clock, limits.pipeDelayMs, this.#drained);
    const cleanup = this.#terminate(limits.graceMs);
    if (ours) await settled(clock, limits.graceMs + KILL_SLACK_MS, this.#drained);
    transport.closePipes();
    return { terminal, exit: this.#exit, stderr: this.#stderr, cleanup, gone: this.#untilGone(cleanup) };
  }

  async #untilGone(cleanup: Promise<TreeEnd>): Promise<void> {
    const { clock, log } = this.#in;
    let end = await cleanup;
    for (let wait = SURVIVOR_WAIT_MS; !end.gone; wait = Math.min(wait * 2, SURVIVOR_WAIT_MAX_MS)) {
      log("warn", "processes of the agent survive", { survivors: end.survivors });
      await clock.sleep(wait);
      end = await this.#terminate(0);
    }
  }

  /** A failed look at the process table proves nothing: the tree counts as alive and is looked at again. */
  async #terminate(graceMs: number): Promise<TreeEnd> {
    try {
      return await this.#in.transport.terminate(graceMs);
    } catch (error) {
      this.#in.log("error", "the agent's processes could not be ended", { error: errorText(error) });
      return { gone: false, survivors: [] };
    }
  }

  /** Reads both pipes to their end, or until the pipe delay after the process's end; then tells the adapter of the exit. */
  async #drain(): Promise<void> {
    const { transport, limits, clock } = this.#in;
    const read = this.#read();
    this.#exit = await transport.exited;
    await settled(clock, limits.pipeDelayMs, read);
    transport.closePipes();
    await read;
    this.#feed({ type: "exit", exit: this.#exit });
    this.#force("failed", "the agent's process ended without an outcome");
  }

  async #read(): Promise<void> {
    try {
      for await (const { stream, line, position } of this.#in.transport.lines) {
        if (this.#left) return;
        this.#repeat(this.#diary.next());
        if (stream === "err") this.#stderr.push(line);
        this.#position = position ?? 0;
        this.#feed({ type: "line", stream, line });
      }
    } catch (error) {
      this.#feed({ type: "readFailed", message: errorText(error) });
      this.#force("failed", `stdout read error: ${errorText(error)}`);
    }
  }

  /** Something that no line tells: noted first, so that whoever goes on with this process after us knows it. */
  #happen(event: DiaryEvent): void {
    if (this.#isOver()) return;
    this.#diary.write(event);
    this.#live(event);
  }

  #live(event: DiaryEvent): void {
    this.#feed(event);
    if (event.type === "expire") this.#force(this.#diary.reason?.kind === "deadline" ? "timeout" : "aborted", "execution cancelled");
    if (event.type !== "abort" || this.#isOver()) return;
    this.#startTimer(EXPIRE, this.#in.limits.cancelWindowMs, () => this.#happen({ type: "expire" }));
  }

  /** What happened to the earlier owner at this point. */
  #repeat(events: readonly DiaryEvent[]): void {
    for (const event of events) {
      if (event.type === "abort") this.#aborting = true;
      if (event.type === "timer") this.#stopTimer(event.id);
      if (event.type === "expire") this.#stopTimer(EXPIRE);
      this.#live(event);
    }
  }

  /** Everything of the past has been repeated: from here on time passes again. */
  #goLive(): void {
    this.#repeat(this.#diary.end());
    for (const [id, timer] of this.#waiting) this.#startTimer(id, timer.ms, timer.fn);
    this.#waiting.clear();
    const { wish } = this.#diary;
    if (wish !== null && !this.#isOver()) this.#happen({ type: "abort", reason: wish });
  }

  #feed(event: AgentEvent): void {
    if (this.#isOver()) return;
    try {
      this.#apply(this.#in.reducer.step(event));
    } catch (error) {
      // A defect of the adapter must not pass for the agent's success, nor end the daemon.
      this.#in.log("error", "adapter failed", { error: errorText(error) });
      this.#force("failed", `the agent's output could not be interpreted: ${errorText(error)}`);
    }
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.#isOver()) return;
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: Effect): void {
    const { transport, emit, log } = this.#in;
    switch (effect.type) {
      case "write":
        return transport.write(effect.line);
      case "message":
        return emit(effect.message, this.#position);
      case "setTimer":
        return this.#startTimer(effect.id, effect.ms, () => this.#happen({ type: "timer", id: effect.id }));
      case "clearTimer":
        return this.#stopTimer(effect.id);
      case "endInput":
        return transport.endInput();
      case "log":
        return log(effect.level, effect.text, effect.fields);
      case "finish":
        return this.#decide(effect.terminal);
    }
  }

  #decide(terminal: Terminal): void {
    if (this.#terminal !== null) return;
    this.#terminal = terminal;
    for (const id of [...this.#timers.keys(), ...this.#waiting.keys()]) this.#stopTimer(id);
    this.#decided.resolve(terminal);
  }

  /** The outcome when the adapter has none although it must. */
  #force(status: Terminal["status"], error: string): void {
    if (this.#isOver()) return;
    this.#decide({ status, output: "", error, sessionId: "", usage: {}, resumeRejected: false, withStderr: status === "failed" });
  }

  #isOver(): boolean {
    return this.#terminal !== null || this.#left;
  }

  #startTimer(id: string, ms: number, fn: () => void): void {
    this.#stopTimer(id);
    if (this.#left) return;
    if (this.#diary.repeating) return void this.#waiting.set(id, { ms, fn });
    const cancel = this.#in.clock.setTimer(ms, () => {
      this.#timers.delete(id);
      fn();
    });
    this.#timers.set(id, cancel);
  }

  #stopTimer(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
    this.#waiting.delete(id);
  }
}

/** Resolves when `work` did, or after `ms`, whichever comes first. */
async function settled(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const cancel = clock.setTimer(ms, limit.resolve);
  await Promise.race([work, limit.promise]);
  cancel();
}
