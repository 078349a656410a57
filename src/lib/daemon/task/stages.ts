import { errorText, isMulticaError } from "../../core/index.ts";
import { predictEnvRoot, writeGcMeta } from "../../execenv/index.ts";
import { type StatusProbe, askServer } from "./cancellation.ts";
import { collectCheckouts } from "./checkouts.ts";
import { type Executed, execute } from "./execute.ts";
import { taskContext } from "./facts.ts";
import { failureReason } from "./failure.ts";
import { adoptedOf } from "./hosted/adopted.ts";
import { takeLockBack } from "./hosted/hosting.ts";
import { takeOverEnvironment } from "./hosted/take-over.ts";
import { prepare } from "./prepare.ts";
import { keptProcesses } from "../exec/spare.ts";
import { beginThreads, endThreads } from "./processes.ts";
import { sweepTask } from "./release.ts";
import { discard, reportOf, reportOutcome } from "./report.ts";
import type { TaskRun } from "./run.ts";
import { noteEndOfSessions } from "./session-pin.ts";
import { type Outcome, SHUTDOWN_TEXT, settle } from "./settle.ts";
import { usageRows } from "./usage.ts";

/** The server has finished the task itself, or has forgotten it. */
export type ServerEnding = "over" | "gone";

/** What the stages may ask about the server's opinion of the task. */
export interface ServerView {
  readonly probe: StatusProbe;
  readonly stopWatching: () => void;
  readonly endedByServer: () => ServerEnding | null;
}

/**
 * The stages in order: work, collect, usage, then one ending: an acknowledgement when the server had finished the task
 * itself, else exactly one terminal report; the environment's metadata comes last (daemon.md 11.1).
 */
export async function stages(run: TaskRun, trees: Promise<void>[], view: ServerView): Promise<void> {
  const { ctx, task } = run;
  const { outcome, executed } = await work(run, trees);
  const rows = executed === null ? [] : usageRows(run.job.provider, executed.usage);
  // At once: what follows takes seconds, and a result that is only in memory dies with this process.
  run.sink.intend(reportOf(run, outcome), rows);
  // Nothing of the task may still write when its commits are taken over. What survives this is waited for at the end.
  await endThreads(run);
  await sweepTask(ctx.clock, task.id, keptProcesses(ctx.exec)).catch((error: unknown) => run.logger.warn("sweep failed", { error: errorText(error) }));
  await takeLockBack(run);
  await collectCheckouts(run);
  if (rows.length > 0 && !run.sink.durable) await run.sink.usage(task.id, rows);
  view.stopWatching();
  const ending = view.endedByServer() ?? (await lastLook(view));
  if (ending !== null) {
    ctx.recent.add({ kind: "task", id: task.id, outcome: "ended by the server", reason: ending === "gone" ? "it was deleted there" : "" });
    await discard(run, ending);
    return;
  }
  if (executed !== null) {
    void ctx.api.progress(task.id, { summary: "Finishing task", step: 2, total: 2 }).catch(() => undefined);
  }
  ctx.recent.add({ kind: "task", id: task.id, outcome: outcome.kind, reason: outcome.kind === "failed" ? outcome.reason : "" });
  await reportOutcome(run, outcome);
  if (executed !== null) await writeMeta(run);
}

/** One last look: a task that was finished on the server meanwhile gets no second ending. */
async function lastLook(view: ServerView): Promise<ServerEnding | null> {
  const verdict = await askServer(view.probe);
  return verdict.kind === "over" || verdict.kind === "gone" ? verdict.kind : null;
}

/** The middle of the pipeline; an error of a stage becomes an outcome with the best reason there is. */
async function work(run: TaskRun, trees: Promise<void>[]): Promise<{ outcome: Outcome; executed: Executed | null }> {
  const { ctx, task, job } = run;
  try {
    const adopted = adoptedOf(run);
    const prepared = adopted === null ? await prepare(run) : await takeOverEnvironment(run, adopted);
    const { environment } = prepared;
    run.releases.add(
      "local credential",
      adopted?.forgetToken ?? ctx.credentials.register(job.token, {
        workspaceId: task.workspace_id,
        taskId: task.id,
        agentId: job.agent.id,
        agentName: job.agent.name,
        workdir: environment.workdir,
        envRoot: environment.root,
        ...(job.issueId === "" ? {} : { issueId: job.issueId }),
      }),
    );
    await beginThreads(run);
    const executed = await execute(run, prepared, { add: (finished) => void trees.push(finished) });
    const outcome = settle(executed.end, {
      provider: job.provider,
      shuttingDown: run.shuttingDown(),
      timeoutMs: ctx.config.agentTimeoutMs,
    });
    if (outcome.kind === "failed" && outcome.retirePriorSession === true) run.known.retiredSessionId = task.prior_session_id ?? "";
    noteEndOfSessions(run, outcome);
    if (executed.fault !== undefined && !run.shuttingDown()) return { outcome: failedBy(executed.fault), executed };
    return { outcome, executed };
  } catch (error) {
    if (isMulticaError(error, "agent_left")) throw error;
    if (run.shuttingDown()) return { outcome: { kind: "failed", reason: "runtime_recovery", error: SHUTDOWN_TEXT }, executed: null };
    return { outcome: failedBy(error), executed: null };
  }
}

function failedBy(error: unknown): Outcome {
  return { kind: "failed", reason: failureReason(error), error: errorText(error) };
}

/** Directories the collector must leave alone, from before they exist until after their metadata is written. */
export function markRoots(run: TaskRun): void {
  const { ctx, task } = run;
  const predicted = predictEnvRoot(ctx.config.workspacesRoot, task.workspace_id, task.id);
  if (predicted !== "") run.releases.add("mark of the predicted root", ctx.activeRoots.mark(predicted));
  const prior = (task.prior_work_dir ?? "").replace(/\/+$/, "");
  const parent = prior.slice(0, Math.max(0, prior.lastIndexOf("/")));
  if (parent !== "") run.releases.add("mark of the prior root", ctx.activeRoots.mark(parent));
}

async function writeMeta(run: TaskRun): Promise<void> {
  const { ctx, task, known } = run;
  try {
    await writeGcMeta({ root: known.envRoot, workspaceId: task.workspace_id, taskId: task.id, task: taskContext(task, run.job.agent), nowMs: ctx.clock.now() });
  } catch (error) {
    run.logger.warn("the environment's metadata was not written", { error: errorText(error) });
  }
}
