import { errorText } from "../../core/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { StateHandle } from "../../state/index.ts";
import type { Task } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { Job } from "./admit.ts";
import type { Releases } from "./release.ts";
import type { ReportSink } from "./sink.ts";
import type { Transcript } from "./transcript.ts";

/** What is known about a run so far; every report carries it, however the run ends. */
export interface Known {
  /** Where the agent works, for a later run that continues there. */
  workDir: string;
  /** The environment's root, once its metadata is ours to write here. */
  envRoot: string;
  /** The workdir is the environment's own and not a user's. */
  ownWorkDir: boolean;
  /** The user's directory that a worktree stood for: what is left of it when the task is over. */
  durableWorkDir: string;
  /** Why a worktree had to stay, with its place; empty: none had to. */
  keptWork: string;
  sessionId: string;
  branchName: string;
  /** The agent named a session whose file is not there: it must not be offered for resume. */
  rolloutMissing: boolean;
  /** An earlier session that this run gave up. */
  retiredSessionId: string;
  /** The server has taken the ending, or never will: nothing is left to tell it. */
  reported: boolean;
  /** The ending is in the outbox, which also closes the task's row when it was taken. */
  queued: boolean;
}

export function nothingKnown(): Known {
  return { workDir: "", envRoot: "", ownWorkDir: false, durableWorkDir: "", keptWork: "", sessionId: "", branchName: "", rolloutMissing: false, retiredSessionId: "", reported: false, queued: false };
}

/** One admitted task on its way through the stages. */
export interface TaskRun {
  readonly ctx: DaemonContext;
  readonly task: Task;
  readonly job: Job;
  readonly slot: number;
  readonly logger: Logger;
  readonly sink: ReportSink;
  readonly transcript: Transcript;
  readonly releases: Releases;
  readonly known: Known;
  /** Aborted when the server has finished the task, and at shutdown. */
  readonly signal: AbortSignal;
  /** True when the daemon ends and the server did not finish the task: the run is to be taken up again. */
  readonly shuttingDown: () => boolean;
}

/**
 * Writes to the state file. Without one nothing happens, and a failure is a warning: what crash recovery would like to
 * know must not decide whether a task is done.
 */
export function journal(run: Pick<TaskRun, "ctx" | "logger">, what: string, write: (state: StateHandle) => void): void {
  if (run.ctx.state === null) return;
  try {
    write(run.ctx.state);
  } catch (error) {
    run.logger.warn("state not written", { what, error: errorText(error) });
  }
}
