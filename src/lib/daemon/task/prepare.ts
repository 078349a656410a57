import { dirname } from "node:path";
import { errorText, isMulticaError } from "../../core/index.ts";
import { type Environment, type PrepareInput, isHeldHere, prepareEnvironment, reuseEnvironment, type TaskContext } from "../../execenv/index.ts";
import { deadline, homeDir, platformName } from "../../platform/index.ts";
import { orAbandon } from "./abandon.ts";
import { resolveSkills } from "./bundles/index.ts";
import { disabledSkills, taskContext } from "./facts.ts";
import { stageError, taskFailure } from "./failure.ts";
import { keepLock, releaseEnvironment } from "./hosted/hosting.ts";
import { extendLease } from "./lease.ts";
import { type LocalPlace, leaveLocal, takeLocalDirectory } from "./local-directory.ts";
import { type TaskRun, journal } from "./run.ts";
import { sendStart } from "./start.ts";
import { createTaskTempDir } from "./temp-dir.ts";

/** All of the preparation together, up to the answer to `start` (daemon.md 11.4). */
const PREPARE_MS = 5 * 60_000;
const LEAVING_MS = 3000;
const LEAVING_POLL_MS = 25;

export interface Prepared {
  readonly environment: Environment;
  readonly context: TaskContext;
  readonly tempDir: string;
}

/**
 * Puts the environment on disk and then, only then, tells the server that the task runs: whoever sees `running` may
 * look for the directory. Everything taken is in the run's releases. Rejects with a reason of its own where it has one.
 */
export async function prepare(run: TaskRun): Promise<Prepared> {
  const { ctx, task, logger } = run;
  // Another task may work there for hours: waiting for it is no part of the preparation's time.
  const place = await takeLocalDirectory(run);
  const limit = deadline(ctx.clock, PREPARE_MS, run.signal);
  const lease = extendLease({ clock: ctx.clock, logger, extend: (signal) => ctx.api.prepareLease(task.runtime_id, task.id, { signal }) });
  try {
    journal(run, "phase preparing", (state) => state.setPhase(task.id, "preparing"));
    ctx.taskRepos.register(task.workspace_id, task.id, task.repos ?? []);
    run.releases.add("task repositories", () => ctx.taskRepos.clear(task.workspace_id, task.id));
    const context = taskContext(task, run.job.agent, (await resolveSkills(run, limit.signal)) ?? undefined);
    const prepared = await build(run, place, context, limit.signal);
    journal(run, "phase running", (state) => {
      state.updateTask(task.id, { env_root: prepared.environment.root, work_dir: prepared.environment.workdir });
      state.setPhase(task.id, "running");
    });
    // Agents change refs of linked checkouts without asking: nothing may be packing then.
    await ctx.repoCache.stopMaintenance();
    await start(run, limit.signal);
    return prepared;
  } catch (error) {
    // Whatever surfaced inside, the limit is the cause.
    if (limit.expired()) throw taskFailure("timeout", "task preparation timed out after 5m0s", error);
    throw error;
  } finally {
    limit.done();
    await lease.stop();
  }
}

async function build(run: TaskRun, place: LocalPlace | null, context: TaskContext, signal: AbortSignal): Promise<Prepared> {
  const { ctx, task, job } = run;
  const input: PrepareInput = {
    workspacesRoot: ctx.config.workspacesRoot,
    workspaceId: task.workspace_id,
    taskId: task.id,
    provider: job.provider,
    cliVersion: job.launch.version,
    checkoutMode: ctx.config.repoCheckoutMode,
    priorSessionId: task.prior_session_id ?? undefined,
    profile: ctx.config.profile,
    mcpConfig: job.agent.mcp_config,
    disabledSkills: disabledSkills(job.agent, job.provider),
    ...(place === null ? {} : place.shared ? { sharedWorkDir: place.path } : { localWorkDir: place.path }),
    ...(place?.worktree === true ? { worktree: { clock: ctx.clock, signal } } : {}),
    task: context,
    host: { env: ctx.env, home: homeDir(ctx.env), platform: platformName() },
    now: () => ctx.clock.now(),
    logger: run.logger,
  };
  const environment = await orAbandon(takeEnvironment(run, input), signal, (late) => void abandon(run, late));
  keepLock(run, environment);
  run.releases.add("environment lock", () => releaseEnvironment(run, environment));
  run.releases.add("mark of the environment", ctx.activeRoots.mark(environment.root));
  if (environment.localDirectory) run.releases.add("our files in the local directory", () => leaveLocal(run, environment));
  else run.known.envRoot = environment.root;
  run.known.workDir = environment.workdir;
  run.known.ownWorkDir = !environment.localDirectory && !environment.sharedDirectory;
  // The worktree is a picture of the directory: nobody has to wait for its task.
  if (place?.worktree === true) place.leave();
  const temp = await createTaskTempDir(ctx.config.agentTempBase, environment.root).catch((error: unknown) => {
    throw stageError("prepare task temp dir", error);
  });
  run.releases.add("temporary directory", () => temp.remove());
  return { environment, context, tempDir: temp.path };
}

/** An environment that came too late for its task. */
async function abandon(run: TaskRun, late: Environment): Promise<void> {
  try {
    if (late.localDirectory) await leaveLocal(run, late);
  } catch (error) {
    run.logger.warn("an abandoned preparation left files in the local directory", { path: late.workdir, error: errorText(error) });
  } finally {
    late.release();
  }
}

/** A follow-up may come before the task that has just reported has cleaned up behind itself: it is given that time. */
async function untilLeft({ ctx, signal }: TaskRun, root: string): Promise<void> {
  const until = ctx.clock.monotonic() + LEAVING_MS;
  while (isHeldHere(root) && ctx.clock.monotonic() < until && !signal.aborted) await ctx.clock.sleep(LEAVING_POLL_MS, signal).catch(() => undefined);
}

/** The earlier environment of this conversation when it is still fit, else a fresh one; declining a reuse is no error. */
async function takeEnvironment(run: TaskRun, input: PrepareInput): Promise<Environment> {
  const priorWorkDir = run.task.prior_work_dir ?? "";
  if (priorWorkDir !== "" && input.localWorkDir === undefined && input.sharedWorkDir === undefined) {
    await untilLeft(run, dirname(priorWorkDir));
    const reused = await reuseEnvironment({ ...input, priorWorkDir });
    if (reused !== null) return reused;
  }
  try {
    return await prepareEnvironment(input);
  } catch (error) {
    if (isMulticaError(error, "skill_invalid")) throw taskFailure("skill_bundle_unavailable", errorText(error), error);
    if (input.localWorkDir !== undefined) throw taskFailure("local_directory_error", `prepare execution environment: ${errorText(error)}`, error);
    throw stageError("prepare execution environment", error);
  }
}

async function start(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { ctx, task } = run;
  try {
    await sendStart({
      clock: ctx.clock,
      signal,
      start: (inner) => ctx.api.start(task.id, { signal: inner }),
      status: (inner) => ctx.api.status(task.id, { signal: inner }),
    });
  } catch (error) {
    throw stageError("start task failed", error);
  }
  void ctx.api
    .progress(task.id, { summary: `Launching ${run.job.provider}`, step: 1, total: 2 })
    .catch((error: unknown) => run.logger.debug("progress not sent", { error: errorText(error) }));
}
