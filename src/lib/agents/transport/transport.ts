import type { ExitFacts } from "../contract.ts";

export interface TransportLine {
  readonly stream: "out" | "err";
  readonly line: string;
  /** Where the next line begins in a transport that keeps a log; absent for a plain child. */
  readonly position?: number;
}

/** What ending a process tree came to. */
export interface TreeEnd {
  /** Nothing of the tree lives (a zombie counts as dead). */
  readonly gone: boolean;
  readonly survivors: readonly number[];
}

/**
 * The process that runs an agent, whoever owns it: today a child of ours, later an exec host that outlives us
 * (decision 12). Nothing in an adapter may know which of the two it is.
 */
export interface AgentTransport {
  readonly pid: number;
  /** Queues one line; never throws and never waits. A failure arrives at `onInputFailed`. */
  write(line: string): void;
  /** Ends the agent's stdin after everything queued; a second call does nothing. */
  endInput(): void;
  /** Ends when both pipes did, or when they were closed; throws `line_too_long` or `stdout_read_failed`. */
  readonly lines: AsyncIterable<TransportLine>;
  readonly exited: Promise<ExitFacts>;
  /** Resolves with the text of the first failed write; never, if all go well. */
  readonly inputFailed: Promise<string>;
  /** Closes our ends of stdout and stderr: somebody who holds them open is not waited for. */
  closePipes(): void;
  /** SIGTERM to the group → grace → SIGKILL, then descendants and marked strays. Safe to call again, and after exit. */
  terminate(graceMs: number): Promise<TreeEnd>;
}
