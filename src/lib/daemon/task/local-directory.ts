import { errorText, shortId } from "../../core/index.ts";
import { type Environment, checkLocalDirectory, endLocalWork, writeGcMeta } from "../../execenv/index.ts";
import { homeDir, withTimeout } from "../../platform/index.ts";
import { directoryHolder, takeDirectory } from "./directory-locks.ts";
import { taskContext } from "./facts.ts";
import { taskFailure } from "./failure.ts";
import { workKind } from "./kind.ts";
import { extendLease } from "./lease.ts";
import { type TaskRun, journal } from "./run.ts";

const TREE_END_MS = 15_000;

/** A user's directory that is this task's until `leave`. */
export interface LocalPlace {
  /** Real path. */
  readonly path: string;
  readonly worktree: boolean;
  /** Others may work there at the same time: a conversation does not wait for a long build, and leaves nothing there. */
  readonly shared: boolean;
  /** Lets the next task in. Idempotent; also among the run's releases. */
  readonly leave: () => void;
}

/**
 * Checks the task's local directory and waits until no other task works in it (daemon.md 11.2, 11.3); null: it has none.
 * Fails with `local_directory_error`, or with the signal's reason when the task or the daemon ends meanwhile.
 */
export async function takeLocalDirectory(run: TaskRun): Promise<LocalPlace | null> {
  const { ctx, task, logger } = run;
  const { local } = run.job;
  if (local === undefined) return null;
  const path = await checkLocalDirectory(local.path, homeDir(ctx.env)).catch((error: unknown) => {
    throw taskFailure("local_directory_error", errorText(error), error);
  });
  if (local.mode === "in_place" && workKind(task) === "chat") {
    logger.info("local directory shared", { path });
    return { path, worktree: false, shared: true, leave: () => undefined };
  }
  const holder = directoryHolder(path);
  const taken = takeDirectory(path, task.id, run.signal);
  const leave = holder === undefined ? await taken : await parked(run, taken, `${local.label} (held by task ${shortId(holder)})`);
  run.releases.add("local directory", leave);
  logger.info("local_directory: lock acquired", { path, mode: local.mode });
  return { path, worktree: local.mode === "worktree", shared: false, leave };
}

/** Another task works there: the server is told, and the task's lease kept, until it is our turn. */
async function parked<T>(run: TaskRun, turn: Promise<T>, reason: string): Promise<T> {
  const { ctx, task, logger } = run;
  logger.info("local_directory: waiting on path mutex", { reason });
  ctx.counters.resourceWait += 1;
  journal(run, "phase waiting_local_directory", (state) => state.setPhase(task.id, "waiting_local_directory"));
  await ctx.api.waitLocalDirectory(task.id, reason).catch((error: unknown) => logger.warn("the server does not know that the task waits", { error: errorText(error) }));
  const lease = extendLease({ clock: ctx.clock, logger, extend: (signal) => ctx.api.prepareLease(task.runtime_id, task.id, { signal }) });
  try {
    return await turn;
  } finally {
    ctx.counters.resourceWait -= 1;
    await lease.stop();
  }
}

/**
 * After the agent's processes ended: a worktree becomes commits on a branch. One that has to stay fails the task, with
 * its place in the text. For a directory in place, and after an error, the run's releases do the rest.
 */
export async function endWorktree(run: TaskRun, environment: Environment, trees: readonly Promise<void>[]): Promise<void> {
  if (run.job.local?.mode !== "worktree") return;
  await withTimeout(run.ctx.clock, TREE_END_MS, "end of the agent's processes", Promise.allSettled(trees)).catch(() => undefined);
  const end = await endLocalWork(environment.root, run.ctx);
  run.known.branchName = end.branch ?? "";
  if (end.kept === null) run.known.durableWorkDir = run.job.local.path;
  if (end.kept === null) return;
  run.known.keptWork = `the task's work could not be brought onto a branch and stays in ${end.kept.path}: ${end.kept.why}`;
  throw taskFailure("local_directory_error", run.known.keptWork);
}

/** Takes what is ours out of the user's directory; for the run's releases, when no process of the task lives any more. */
export async function leaveLocal(run: TaskRun, environment: Environment): Promise<void> {
  const { ctx, task, job, logger } = run;
  const end = await endLocalWork(environment.root, ctx);
  if (end.branch !== null) logger.info("the task's work is on a branch", { branch: end.branch });
  if (end.kept !== null) logger.warn("the task's worktree stays", end.kept);
  const localDirectory = job.local?.mode === "in_place";
  await writeGcMeta({ root: environment.root, workspaceId: task.workspace_id, taskId: task.id, task: taskContext(task, job.agent), nowMs: ctx.clock.now(), localDirectory });
}
