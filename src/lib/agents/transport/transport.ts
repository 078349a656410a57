import type { ExitFacts } from "../contract.ts";

export interface TransportLine {
  readonly stream: "out" | "err";
  readonly line: string;
  /** Number of the log's record that ended it, in a transport that keeps a log; absent for a plain child. */
  readonly position?: number;
}

/** The log of a transport that outlives its owner: everything the agent said and was told, and what the owner noted. */
export interface TransportLog {
  /** Name of the process's log, another one for each process. */
  readonly id: string;
  /** What the earlier owner noted, in order. Empty for a process of our own. */
  readonly notes: readonly string[];
  /** Null for a process of our own; else resolves when everything that was there at the take-over has been delivered. */
  readonly live: Promise<void> | null;
  /** Puts a word into the log, for whoever takes the process over; never throws. */
  note(text: string): void;
  /** Everything up to this record is in safe hands; never throws. */
  acknowledge(position: number): void;
}

/** What ending a process tree came to. */
export interface TreeEnd {
  /** Nothing of the tree lives (a zombie counts as dead). */
  readonly gone: boolean;
  readonly survivors: readonly number[];
}

/**
 * The process that runs an agent, whoever owns it: a child of ours, or an exec host that outlives us (decision 12).
 * Nothing in an adapter may know which of the two it is.
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
  /** Absent where everything ends with its owner. */
  readonly log?: TransportLog;
  /** Resolves with the text of the first failed write; never, if all go well. */
  readonly inputFailed: Promise<string>;
  /** Closes our ends of stdout and stderr: somebody who holds them open is not waited for. */
  closePipes(): void;
  /** SIGTERM to the group → grace → SIGKILL, then descendants and marked strays. Safe to call again, and after exit. */
  terminate(graceMs: number): Promise<TreeEnd>;
}
