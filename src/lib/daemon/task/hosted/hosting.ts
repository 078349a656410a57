import { errorText } from "../../../core/index.ts";
import type { AgentHost } from "../../../exec/index.ts";
import type { Environment } from "../../../execenv/index.ts";
import type { TaskRun } from "../run.ts";
import { EnvironmentLock } from "./lock.ts";

/** What a run has to do with exec hosts. */
export interface Hosting {
  /** The host of the agent's process, the last one of several; null while there is none. */
  host: AgentHost | null;
  lock: EnvironmentLock | null;
  /** The agent works under its host: a restart of the daemon leaves it alone. */
  atWork: boolean;
  /** Aborted when the daemon restarts and the agent is left to the next one. */
  readonly leave: AbortController;
}

const all = new WeakMap<TaskRun, Hosting>();

export function hostingOf(run: TaskRun): Hosting {
  const known = all.get(run);
  if (known !== undefined) return known;
  const fresh: Hosting = { host: null, lock: null, atWork: false, leave: new AbortController() };
  all.set(run, fresh);
  return fresh;
}

/** When the agent is gone: the lock returns from its host, so that nothing has to be waited for between the last report and its release. */
export async function takeLockBack(run: TaskRun): Promise<void> {
  const { host, lock } = hostingOf(run);
  if (lock === null) return;
  try {
    if (!(await lock.takeBack(host, run.ctx.clock))) run.logger.warn("the environment's lock did not come back");
  } catch (error) {
    run.logger.warn("the environment's lock did not come back", { error: errorText(error) });
  }
}

/** Gives the environment back at the end of a run; then the host is let go with its log. */
export async function releaseEnvironment(run: TaskRun, environment: Environment): Promise<void> {
  const hosting = hostingOf(run);
  const { host, lock } = hosting;
  if (lock === null) return environment.release();
  await takeLockBack(run);
  lock.release();
  hosting.host = null;
  await host?.dismiss();
}

/** From now on the environment's lock may pass to a host and back. */
export function keepLock(run: TaskRun, environment: Environment): void {
  hostingOf(run).lock = new EnvironmentLock(environment.lock.path, environment.lock);
}
