import { classifyFailure, errorText, redactText } from "../../core/index.ts";
import type { CompleteRequest, FailRequest } from "../../wire/index.ts";
import { cutBytes } from "./cut.ts";
import { type Known, type TaskRun, journal } from "./run.ts";
import type { Outcome } from "./settle.ts";
import type { IntendedReport, TerminalAnswer } from "./sink.ts";

const ERROR_BYTES = 16 * 1024;
const OUTPUT_BYTES = 1024 * 1024;

/** The pointer and facts that go with every terminal report; empty ones are left out, so that pinned ones stay. */
function facts(known: Known): Omit<FailRequest, "error" | "failure_reason"> {
  return {
    ...(known.sessionId === "" || known.rolloutMissing ? {} : { session_id: known.sessionId }),
    ...(known.workDir === "" ? {} : { work_dir: known.workDir }),
    ...(known.durableWorkDir === "" ? {} : { durable_work_dir: known.durableWorkDir }),
    ...(known.branchName === "" ? {} : { branch_name: known.branchName }),
    ...(known.rolloutMissing ? { session_rollout_missing: true } : {}),
    ...(known.retiredSessionId === "" ? {} : { retired_session_id: known.retiredSessionId }),
  };
}

export function completeBody(known: Known, output: string): CompleteRequest {
  return { output: cutBytes(redactText(output), OUTPUT_BYTES), ...facts(known) };
}

export function failBody(known: Known, reason: string, error: string): FailRequest {
  return { error: cutBytes(redactText(error), ERROR_BYTES), failure_reason: reason, ...facts(known) };
}

/** The report that replaces a `complete` the server will never take: the work is real, so everything known goes along. */
export function rejectedBody(known: Known, error: unknown): FailRequest {
  const text = `complete task failed: ${errorText(error)}`;
  return failBody(known, classifyFailure(text), text);
}

/**
 * The one terminal report of a run (daemon.md 11.15). Only a completed outcome becomes `complete`. When nobody answers
 * the task is left as it is on the server: a finished run never becomes a failure because the network was down.
 */
export async function reportOutcome(run: TaskRun, outcome: Outcome): Promise<void> {
  const { task, logger, known } = run;
  journal(run, "phase reporting", (state) => {
    state.setPhase(task.id, "reporting");
    state.updateTask(task.id, { terminal_kind: outcome.kind === "completed" ? "complete" : "fail", session_id: known.sessionId || null });
  });
  if (outcome.kind === "failed") {
    logger.info("task did not complete, reporting failure", { reason: outcome.reason });
    noteAnswer(run, "failed", await run.sink.terminal(reportOf(run, outcome)));
    return;
  }
  const answer = await run.sink.terminal(reportOf(run, outcome));
  if (answer.kind !== "rejected") {
    if (noteAnswer(run, "completed", answer)) logger.info("task completed", known.queued ? { report: "in the outbox" } : {});
    return;
  }
  logger.error("complete rejected, falling back to fail", { error: errorText(answer.error) });
  noteAnswer(run, "failed", await run.sink.terminal({ kind: "fail", taskId: task.id, body: rejectedBody(known, answer.error) }));
}

/**
 * Ends a run whose task the server had finished itself: no report, but word that it is wound down, best effort since
 * older servers do not know the call. A task that was deleted cannot be told anything.
 */
export async function discard(run: TaskRun, ending: "over" | "gone"): Promise<void> {
  const { task, logger, known } = run;
  logger.info("task cancelled during execution, discarding result");
  journal(run, "phase reporting", (state) => {
    state.setPhase(task.id, "reporting");
    state.updateTask(task.id, { terminal_kind: "cancelled" });
  });
  known.reported = true;
  if (ending === "gone") {
    run.sink.withdraw(task.id);
    return;
  }
  const body = {
    ...(known.branchName === "" ? {} : { branch_name: known.branchName }),
    ...(known.durableWorkDir === "" ? {} : { durable_work_dir: known.durableWorkDir }),
    // Other errors of a cancelled run are noise; work that waits somewhere is not.
    ...(known.keptWork === "" ? {} : { error_message: cutBytes(redactText(known.keptWork), ERROR_BYTES), failure_reason: "local_directory_error" }),
  };
  const answer = await run.sink.terminal({ kind: "cancel_ack", taskId: task.id, body });
  if (answer.kind !== "accepted") logger.debug("cancel not acknowledged", { answer: answer.kind });
}

/** The report an outcome comes to. */
export function reportOf(run: Pick<TaskRun, "task" | "known">, outcome: Outcome): IntendedReport {
  const { task, known } = run;
  if (outcome.kind === "completed") return { kind: "complete", taskId: task.id, body: completeBody(known, outcome.output) };
  return { kind: "fail", taskId: task.id, body: failBody(known, outcome.reason, outcome.error) };
}

/** Logs what the server made of a report; true when it was taken as it was meant. */
function noteAnswer(run: TaskRun, expected: string, answer: TerminalAnswer): boolean {
  const { logger, known } = run;
  known.reported = answer.kind !== "undelivered" && answer.kind !== "queued";
  known.queued = answer.kind === "queued";
  switch (answer.kind) {
    case "accepted":
      if (answer.state === expected) return true;
      logger.info("the server had already finished the task", { state: answer.state, reported: expected });
      return false;
    case "queued":
      return true;
    case "gone":
      logger.info("the task no longer exists on the server");
      return false;
    case "rejected":
      logger.error("report rejected", { reported: expected, error: errorText(answer.error) });
      return false;
    case "undelivered":
      logger.error("report failed after retries, task left running on the server", { reported: expected, error: errorText(answer.error) });
      return false;
  }
}
