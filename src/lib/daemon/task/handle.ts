import { errorText, taskKey } from "../../core/index.ts";
import { isTaskNotFound } from "../../api/index.ts";
import type { Task } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import { keptProcesses } from "../exec/spare.ts";
import { createOutboxSink } from "../outbox/sink.ts";
import { type Job, admit } from "./admit.ts";
import { secretsOf } from "./agent-env.ts";
import { type StatusProbe, watchCancellation } from "./cancellation.ts";
import { failureReason } from "./failure.ts";
import { createReleases, untilGone } from "./release.ts";
import { failBody } from "./report.ts";
import { type Known, type TaskRun, journal, nothingKnown } from "./run.ts";
import { type ReportSink, createDirectSink } from "./sink.ts";
import { type ServerEnding, markRoots, stages } from "./stages.ts";
import { Transcript } from "./transcript.ts";

/**
 * Takes one claimed task through the whole pipeline (daemon.md 11): admit, prepare, launch, drain, settle, report,
 * release. Never rejects; resolves when the task's process tree is gone and everything it took is given back.
 * Slot, barrier and the first row of the task belong to the caller.
 */
export async function runTask(ctx: DaemonContext, task: Task, slot: number): Promise<void> {
  const logger = ctx.logger.child({ task: taskKey(task.id), slot });
  const delivery = { api: ctx.api, clock: ctx.clock, logger };
  const sink = ctx.outbox === null ? createDirectSink(delivery) : createOutboxSink(ctx.outbox, delivery);
  const releases = createReleases(logger);
  const trees: Promise<void>[] = [];
  const known = nothingKnown();
  let admitted = false;
  // Released last: while the row is open, the next start of the daemon looks for what the task may have left.
  releases.add("task row", () =>
    journal({ ctx, logger }, "task ended", (state) => {
      state.updateTask(task.id, { ended_at_ms: ctx.clock.now(), agent_pid: null });
      if (known.reported) state.setPhase(task.id, "done");
    }),
  );
  try {
    const runtime = ctx.runtimes.get(task.runtime_id);
    const admission = admit(task, {
      shuttingDown: ctx.rootSignal.aborted,
      daemonId: ctx.daemonId,
      runtime,
      launch: ctx.runtimes.launchEntry(task.runtime_id),
    });
    if (admission.kind === "refused") {
      logger.warn("task refused", { reason: admission.reason, error: admission.error });
      await refuse({ ctx, task, sink, known }, admission.reason, admission.error);
      return;
    }
    admitted = true;
    logger.info("picked task", { issue: task.issue_id, agent: admission.job.agent.name, provider: admission.job.provider });
    await withRun({ ctx, task, slot, logger, sink, releases, job: admission.job, known, trees });
  } catch (error) {
    logger.error("the task pipeline failed", { error: errorText(error) });
    if (!known.reported && !known.queued) await refuse({ ctx, task, sink, known }, failureReason(error), errorText(error));
  } finally {
    if (admitted) await untilGone({ clock: ctx.clock, logger, taskId: task.id, agentsFinished: Promise.allSettled(trees), spare: () => keptProcesses(ctx.exec) });
    await releases.run();
  }
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
async function withRun(parts: RunParts): Promise<void> {
  const { ctx, task, logger, job } = parts;
  const controller = new AbortController();
  let ending: ServerEnding | null = null;
  const onRoot = (): void => controller.abort(ctx.rootSignal.reason);
  ctx.rootSignal.addEventListener("abort", onRoot, { once: true });
  if (ctx.rootSignal.aborted) onRoot();
  const run: TaskRun = {
    ...parts,
    transcript: new Transcript({ secrets: secretsOf(job.token, job.agent.custom_env ?? {}) }),
    signal: controller.signal,
    shuttingDown: () => ctx.rootSignal.aborted && ending === null,
  };
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
