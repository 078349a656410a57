import { type AgentRun, type AgentTransport, getProvider, hostTransport, startAgentRun } from "../../../agents/index.ts";
import type { FileLock } from "../../../platform/index.ts";
import type { Environment } from "../../../execenv/index.ts";
import { MulticaError, TASK_MARKER, errorText } from "../../../core/index.ts";
import { registeredProcesses } from "../../exec/spare.ts";
import type { AgentLog } from "../drain.ts";
import { taskFailure } from "../failure.ts";
import { recordAgent } from "../launch.ts";
import type { Prepared } from "../prepare.ts";
import type { TaskRun } from "../run.ts";
import { adoptTaskTempDir } from "../temp-dir.ts";
import type { Adopted } from "./adopted.ts";
import { hostingOf, releaseEnvironment } from "./hosting.ts";
import { EnvironmentLock } from "./lock.ts";
import { hostOpener } from "./open.ts";

/** The environment as the earlier daemon had prepared it; its lock is the host's. What a preparation takes is taken again. */
export async function takeOverEnvironment(run: TaskRun, { sealed, host }: Adopted): Promise<Prepared> {
  const { ctx, task, releases } = run;
  const hosting = hostingOf(run);
  const lock = elsewhere(sealed.environment.lock.path);
  const environment: Environment = { ...sealed.environment, lock, release: () => lock.release() };
  ctx.taskRepos.register(task.workspace_id, task.id, task.repos ?? []);
  releases.add("task repositories", () => ctx.taskRepos.clear(task.workspace_id, task.id));
  hosting.host = host;
  hosting.lock = new EnvironmentLock(lock.path, null);
  releases.add("environment lock", () => releaseEnvironment(run, environment));
  releases.add("mark of the environment", ctx.activeRoots.mark(environment.root));
  const temp = await adoptTaskTempDir(sealed.tempDir);
  releases.add("temporary directory", () => temp.remove());
  await ctx.repoCache.stopMaintenance();
  return { environment, context: sealed.context, tempDir: sealed.tempDir };
}

/** A lock that another process holds for us. */
function elsewhere(path: string): FileLock {
  return {
    path,
    release: () => undefined,
    passTo: () => {
      throw new MulticaError("lock_lost", `the lock is not held here: ${path}`);
    },
  };
}

/** Takes the agent's process over: its log is read again from the beginning, then it goes on. */
export async function takeOver(run: TaskRun, prepared: Prepared, adopted: Adopted, signal: AbortSignal): Promise<AgentRun> {
  const { ctx, logger } = run;
  const { host, row, sealed } = adopted;
  const spec = getProvider(run.job.provider);
  const { options, plan, turn, attempt } = sealed;
  const open = hostOpener(run, prepared, spec, { options, turn, attempt });
  const spare = (): ReturnType<typeof registeredProcesses> => registeredProcesses(ctx.exec);
  const transport = readAgain({ host, lineMax: spec.lineMax, marker: { name: TASK_MARKER, value: run.task.id }, spare, clock: ctx.clock, takeOver: true });
  const agent = await startAgentRun({
    ...{ spec, plan, options, clock: ctx.clock, logger, signal, deadlineMs: ctx.config.agentTimeoutMs, spare },
    ...(open === undefined ? {} : { open }),
    takeOver: { transport, elapsedMs: Math.max(0, ctx.clock.now() - host.startedAtMs), handedOver: row.log_message },
  });
  recordAgent(run, agent);
  return agent;
}

/** A log that is not whole any more cannot be understood: the task is given back as after a crash. */
function readAgain(options: Parameters<typeof hostTransport>[0]): AgentTransport {
  try {
    return hostTransport(options);
  } catch (error) {
    throw taskFailure("runtime_recovery", errorText(error), error);
  }
}

/** From here on a restart of the daemon leaves the agent alone. Undefined for one that ends with the daemon. */
export function atWork(run: TaskRun, agent: AgentRun): AgentLog | undefined {
  const hosting = hostingOf(run);
  if (hosting.host === null) return undefined;
  hosting.atWork = true;
  return {
    // Of the process before this one a second attempt has not left anything to be read again.
    place: () => (agent.place.log === "" || agent.place.log === hosting.host?.xid ? agent.place : null),
    acknowledge: (place) => agent.acknowledge(place),
    acknowledgeRead: () => agent.acknowledgeRead(),
    letGo: () => agent.letGo(),
    leave: hosting.leave.signal,
  };
}

export function stopWork(run: TaskRun): void {
  hostingOf(run).atWork = false;
}
