import type { AgentMessage, AgentStatus, ExitFacts, LogLevel, RunOptions, UsageMap } from "./contract.ts";

/** What the world tells an adapter. Lines come whole, decoded, without their end, blank ones too. */
export type AgentEvent =
  | { readonly type: "line"; readonly stream: "out" | "err"; readonly line: string }
  /** A timer set by this adapter ran out; a cleared or replaced one never fires. */
  | { readonly type: "timer"; readonly id: string }
  /**
   * Somebody wants the run to end. The adapter either finishes now or writes its protocol's cancel and finishes
   * when the agent answers; after the provider's `cancelWindowMs` the runner sends `expire`.
   */
  | { readonly type: "abort"; readonly reason: AbortReason }
  /** The window is over: the adapter must finish with this very step. */
  | { readonly type: "expire" }
  /** A write to the agent failed or its input is closed. */
  | { readonly type: "inputFailed"; readonly message: string }
  /** stdout cannot be read on (a line over the limit: the text holds `token too long`). No line follows. */
  | { readonly type: "readFailed"; readonly message: string }
  /** The process ended; every line it wrote (within the pipe delay) has been delivered before. */
  | { readonly type: "exit"; readonly exit: ExitFacts };

export type AbortReason =
  | { readonly kind: "cancel" }
  /** The run's hard deadline; `afterMs` is its length. */
  | { readonly kind: "deadline"; readonly afterMs: number };

/** What an adapter asks for; carried out in order. */
export type Effect =
  /** One line without its end. */
  | { readonly type: "write"; readonly line: string }
  | { readonly type: "message"; readonly message: AgentMessage }
  /** Starts, or restarts, the timer with this id. */
  | { readonly type: "setTimer"; readonly id: string; readonly ms: number }
  | { readonly type: "clearTimer"; readonly id: string }
  | { readonly type: "endInput" }
  /** Exactly once. Nothing is delivered to the adapter afterwards, timers are dropped. */
  | { readonly type: "finish"; readonly terminal: Terminal }
  /** `text` and `fields` hold nothing that came from the user or the model. */
  | { readonly type: "log"; readonly level: LogLevel; readonly text: string; readonly fields?: Record<string, unknown> };

/** The outcome as the protocol saw it; the runner adds duration, exit facts and the stderr tail. */
export interface Terminal {
  readonly status: AgentStatus;
  readonly output: string;
  /** Empty exactly when completed. */
  readonly error: string;
  readonly sessionId: string;
  readonly usage: UsageMap;
  readonly resumeRejected: boolean;
  /** Append `; <label> stderr: <tail>` to the error. */
  readonly withStderr?: boolean;
  /** Nothing was lost by this attempt: run once more when the process tree is proved gone (agents.md 14.10). */
  readonly again?: SecondAttempt;
}

export interface SecondAttempt {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly withoutResume: boolean;
  /** Only if the whole stderr (not just the tail) holds this text, in any case. */
  readonly ifStderr?: string;
}

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

/**
 * An adapter: a pure function of its events. The same options and events give the same effects, so that a recorded
 * transcript can be replayed in a test, and by a restarted daemon that picks a running agent up again.
 * States are immutable values: `step` never changes the one it was given.
 */
export interface AgentReducer<S> {
  init(options: RunOptions): Step<S>;
  step(state: S, event: AgentEvent): Step<S>;
}

/** One adapter at work, its state type hidden. */
export interface ReducerRun {
  /** Effects of the start, e.g. the first request. */
  readonly initial: readonly Effect[];
  step(event: AgentEvent): readonly Effect[];
}

/** Hides the state of a reducer, for the registry: `reducer: startReducer(codexReducer)`. */
export function startReducer<S>(reducer: AgentReducer<S>): (options: RunOptions) => ReducerRun {
  return (options) => {
    const first = reducer.init(options);
    let state = first.state;
    return {
      initial: first.effects,
      step(event) {
        const next = reducer.step(state, event);
        state = next.state;
        return next.effects;
      },
    };
  };
}
