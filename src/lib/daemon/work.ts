import { MulticaError, errorText, isMulticaError } from "../core/index.ts";
import { type Clock, withTimeout } from "../platform/index.ts";
import type { Daemon } from "./assemble.ts";
import type { LocalListener } from "./local-port/listen.ts";
import { runRenewal } from "./loops/renewal.ts";
import { deliverReports, drainTasks } from "./shutdown.ts";

export interface WorkParts {
  readonly clock: Clock;
  readonly listener: LocalListener;
  /** Aborted when the daemon is to end. */
  readonly root: AbortController;
}

/** The loops until the root signal aborts, then the orderly end (daemon.md 1.3). A loop that breaks ends the daemon with its error. */
export async function work({ clock, listener, root }: WorkParts, daemon: Daemon): Promise<void> {
  const { ctx } = daemon;
  const { limits, logger } = ctx;
  const broken: { error?: MulticaError } = {};
  const guard = async (name: string, loop: Promise<void>): Promise<void> => {
    try {
      await loop;
    } catch (error) {
      if (root.signal.aborted) return;
      broken.error = new MulticaError("loop_broken", `the ${name} loop broke`, { cause: error });
      root.abort(broken.error);
    }
  };
  const all = [...daemon.loops, { name: "token renewal", run: () => runRenewal(ctx) }];
  const others = all.map((loop) => guard(loop.name, loop.run()));
  await guard("claim", daemon.claim.run());
  // The claim loop has returned: no task can join the set that is waited for now.
  const closed = listener.close(clock);
  logger.info("poll loop stopping, waiting for in-flight tasks", { tasks: daemon.dispatcher.size });
  const until = clock.monotonic() + limits.taskDrain;
  await drainTasks(daemon, limits.taskDrain);
  await deliverReports(ctx, Math.max(limits.lastReports, until - clock.monotonic()));
  await withTimeout(clock, limits.loopsEnd, "the end of the loops", Promise.all([closed, ...others])).catch((error: unknown) =>
    logger.warn("a loop does not end", { error: errorText(error) }),
  );
  if (broken.error !== undefined) throw broken.error;
  if (isMulticaError(root.signal.reason, "lease_lost")) throw root.signal.reason;
}
