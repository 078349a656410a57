import { errorText, isMulticaError, taskKey } from "../../core/index.ts";
import { isTaskNotFound } from "../../api/index.ts";
import type { Task } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import { keptProcesses } from "../exec/spare.ts";
import { createOutboxSink } from "../outbox/sink.ts";
import { type Admission, type Job, admit } from "./admit.ts";
import { secretsOf } from "./agent-env.ts";
import { type StatusProbe, watchCancellation } from "./cancellation.ts";
import { failureReason } from "./failure.ts";
import { type Adopted, goesOnWith } from "./hosted/adopted.ts";
import { hostingOf } from "./hosted/hosting.ts";
import { createReleases, untilGone } from "./release.ts";
import { hasText, workKind } from "./kind.ts";
import { failBody } from "./report.ts";
import { type Known, type TaskRun, journal, nothingKnown } from "./run.ts";
import { type ReportSink, createDirectSink } from "./sink.ts";
import { type ServerEnding, markRoots, stages } from "./stages.ts";
import { Transcript } from "./transcript.ts";

/**
 * Takes one claimed task through the whole pipeline (daemon.md 11): admit, prepare, launch, drain, settle, report,
 * release. Never rejects; resolves when the task's process tree is gone and everything it took is given back.
 * Slot, barrier and the first row of the task belong to the caller. `adopted`: its agent outlived an earlier daemon and is
 * gone on with. An agent that is left to the next daemon leaves everything as it is.
 */
export async function runTask(ctx: DaemonContext, task: Task, slot: number, adopted?: Adopted): Promise<void> {
  const logger = ctx.logger.child({ task: taskKey(task.id), slot });
  const delivery = { api: ctx.api, clock: ctx.clock, logger };
  const sink = ctx.outbox === null ? createDirectSink(delivery) : createOutboxSink(ctx.outbox, delivery);
  const releases = createReleases(logger);
  const trees: Promise<void>[] = [];
  const known = adopted?.sealed.known ?? nothingKnown();
  let admitted = false;
  let left = false;
  // Released last: while the row is open, the next start of the daemon looks for what the task may have left.
  releases.add("task row", () =>
    journal({ ctx, logger }, "task ended", (state) => {
      state.updateTask(task.id, { ended_at_ms: ctx.clock.now(), agent_pid: null });
      if (known.reported) state.setPhase(task.id, "done");
    }),
  );
  try {
    const admission = adopted === undefined ? admitNow(ctx, task) : { kind: "admitted" as const, job: adopted.sealed.job };
    if (admission.kind === "refused") {
      logger.warn("task refused", { reason: admission.reason, error: admission.error });
      await refuse({ ctx, task, sink, known }, admission.reason, admission.error);
      return;
    }
    admitted = true;
    logPicked(logger, task, admission.job);
    await withRun({ ctx, task, slot, logger, sink, releases, job: admission.job, known, trees }, adopted);
  } catch (error) {
    left = isMulticaError(error, "agent_left");
    if (left) return logger.info("the agent works on and is left to the next daemon");
    logger.error("the task pipeline failed", { error: errorText(error) });
    if (!known.reported && !known.queued) await refuse({ ctx, task, sink, known }, failureReason(error), errorText(error));
  } finally {
    if (admitted && !left) await untilGone({ clock: ctx.clock, logger, taskId: task.id, agentsFinished: Promise.allSettled(trees), spare: () => keptProcesses(ctx.exec) });
    if (!left) await releases.run();
  }
}

function admitNow(ctx: DaemonContext, task: Task): Admission {
  return admit(task, {
    shuttingDown: ctx.rootSignal.aborted,
    daemonId: ctx.daemonId,
    runtime: ctx.runtimes.get(task.runtime_id),
    launch: ctx.runtimes.launchEntry(task.runtime_id),
  });
}

/** What was picked, and in debug how much of everything came with it; never what it says. */
function logPicked(logger: DaemonContext["logger"], task: Task, { agent, provider }: Job): void {
  if (workKind(task) === "chat") logger.info("picked chat task", { chat_session: task.chat_session_id, agent: agent.name, provider });
  else logger.info("picked task", { issue: task.issue_id, agent: agent.name, provider });
  logger.debug("task context", {
    kind: workKind(task),
    attempt: task.attempt,
    repos: (task.repos ?? []).length,
    resources: (task.project_resources ?? []).length,
    skills: (agent.skills ?? []).length + (agent.skill_refs ?? []).length,
    merged_comments: (task.coalesced_comments ?? []).length,
    resumes: hasText(task.prior_session_id),
  });
}

/** A failed report outside the stages: for a task of which nothing was started, and after a defect of ours. */
async function refuse(
  parts: { readonly ctx: DaemonContext; readonly task: Task; readonly sink: ReportSink; readonly known: Known },
  reason: string,
  error: string,
): Promise<void> {
  const { ctx, task, sink, known } = parts;
  journal({ ctx, logger: ctx.logger }, "phase reporting", (state) => {
    state.setPhase(task.id, "reporting");
    state.updateTask(task.id, { terminal_kind: "fail" });
  });
  const answer = await sink.terminal({ kind: "fail", taskId: task.id, body: failBody(known, reason, error) });
  known.queued = answer.kind === "queued";
  known.reported = !known.queued && answer.kind !== "undelivered";
}

type RunParts = Omit<TaskRun, "signal" | "shuttingDown" | "transcript"> & { readonly job: Job; readonly trees: Promise<void>[] };

/** Builds the run's signals and watcher around the stages, and takes them down again. */
async function withRun(parts: RunParts, adopted: Adopted | undefined): Promise<void> {
  const { ctx, task, logger, job } = parts;
  const controller = new AbortController();
  let ending: ServerEnding | null = null;
  const run: TaskRun = {
    ...parts,
    transcript: transcriptOf(job, adopted),
    signal: controller.signal,
    shuttingDown: () => ctx.rootSignal.aborted && ending === null,
  };
  const hosting = hostingOf(run);
  if (adopted !== undefined) goesOnWith(run, adopted);
  const onRoot = (): void => {
    const { reason } = ctx.rootSignal;
    if (hosting.atWork && !isMulticaError(reason, "shutdown") && ending === null) hosting.leave.abort();
    else controller.abort(reason);
  };
  ctx.rootSignal.addEventListener("abort", onRoot, { once: true });
  if (ctx.rootSignal.aborted) onRoot();
  const probe: StatusProbe = { clock: ctx.clock, logger, status: (signal) => ctx.api.status(task.id, { signal }), isGone: isTaskNotFound };
  markRoots(run);
  const watcher = watchCancellation({
    probe,
    reconcile: ctx.reconcile,
    onOver: (verdict) => {
      ending = verdict.kind;
      logger.info("task is over on the server, interrupting the agent", { state: verdict.kind === "over" ? verdict.state : "gone" });
      controller.abort(new Error("task cancelled by server"));
    },
  });
  try {
    await stages(run, parts.trees, { probe, stopWatching: watcher.stop, endedByServer: () => ending });
  } finally {
    watcher.stop();
    ctx.rootSignal.removeEventListener("abort", onRoot);
  }
}

/** For an agent that was at work already the transcript goes on behind what the earlier daemon had written down. */
function transcriptOf(job: Job, adopted: Adopted | undefined): Transcript {
  const secrets = secretsOf(job.token, job.agent);
  if (adopted === undefined) return new Transcript({ secrets });
  const { row, sealed } = adopted;
  return new Transcript({ secrets, firstSeq: row.next_seq, toolCount: sealed.toolCount, again: { message: row.log_message, held: row.log_held } });
}
