import { MulticaError, TASK_MARKER, errorText } from "../core/index.ts";
import { terminateTree } from "../platform/index.ts";
import type { Daemon } from "./assemble.ts";
import { keptProcesses } from "./exec/spare.ts";
import type { Stage } from "./stage.ts";

/**
 * What stop signals mean to a running daemon: the first stops claiming and lets tasks finish, within a limit; the second
 * cancels them with their grace (the root signal); the third ends their processes at once. Returns how to stop listening.
 */
export function followWishes({ options, root, limits, logger }: Pick<Stage, "options" | "root" | "limits" | "logger">, daemon: Daemon): () => void {
  const { barrier } = daemon.ctx;
  const finish = (): void => {
    barrier.close();
    logger.info("stopping: no more tasks are claimed", { finishing: barrier.activeTasks, within_ms: limits.finishFirst });
    void untilDone(daemon, limits.finishFirst, root.signal).then((why) => root.abort(new MulticaError("shutdown", `the daemon is shutting down (${why})`)));
  };
  const kill = (): void => void killTasks(daemon).catch((error: unknown) => logger.warn("not every task was ended", { error: errorText(error) }));
  const pairs = [[options.finishFirst, finish], [options.killNow, kill]] as const;
  for (const [signal, act] of pairs) {
    if (signal?.aborted === true) act();
    else signal?.addEventListener("abort", act, { once: true });
  }
  return () => {
    for (const [signal, act] of pairs) signal?.removeEventListener("abort", act);
  };
}

/** Until nothing is claimed and nothing runs, or the time is over. */
async function untilDone({ ctx, dispatcher }: Daemon, limitMs: number, signal: AbortSignal): Promise<string> {
  const until = ctx.clock.monotonic() + limitMs;
  while (ctx.barrier.claimsInFlight > 0 || ctx.barrier.activeTasks > 0) {
    const left = until - ctx.clock.monotonic();
    if (left <= 0) return "tasks did not finish in time";
    if (signal.aborted) return "asked again";
    // A claim that is on its way may still bring a task.
    if (ctx.barrier.claimsInFlight > 0) await ctx.clock.sleep(Math.min(left, 20), signal).catch(() => undefined);
    else await Promise.race([dispatcher.drain(left), aborted(signal)]);
  }
  return "nothing runs";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function killTasks({ ctx, dispatcher }: Daemon): Promise<void> {
  const spare = keptProcesses(ctx.exec);
  await Promise.all(dispatcher.ids().map((value) => terminateTree({ marker: { name: TASK_MARKER, value }, spare, gentle: ["SIGKILL"], graceMs: 0, clock: ctx.clock })));
}
