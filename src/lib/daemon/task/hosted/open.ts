import { type AgentTransport, type LaunchPlan, type ProviderSpec, hostTransport } from "../../../agents/index.ts";
import { TASK_MARKER, errorText, sha256Hex } from "../../../core/index.ts";
import { type AgentHost, type ExecService, agentThread } from "../../../exec/index.ts";
import { registeredProcesses } from "../../exec/spare.ts";
import type { Prepared } from "../prepare.ts";
import { type TaskRun, journal } from "../run.ts";
import { hostingOf } from "./hosting.ts";
import { type Sealed, seal } from "./sealed.ts";

/** What an agent may say and be told before nothing of it may be given up; it is held back when nobody reads that long. */
const LOG_BYTES = 512 << 20;

type Open = (plan: LaunchPlan, child: () => Promise<AgentTransport>) => Promise<AgentTransport>;

/** How the agent of this run is started: under an exec host where that is wanted and possible, else undefined for a child. */
export function hostOpener(run: TaskRun, prepared: Prepared, spec: ProviderSpec, facts: Pick<Sealed, "options" | "turn" | "attempt">): Open | undefined {
  const { ctx } = run;
  const { exec, state, outbox } = ctx;
  // A user's own directory is shared by locks in memory, which end with this process.
  if (ctx.config.agentTransport !== "host" || exec === null || state === null || outbox === null || run.job.local !== undefined) return undefined;
  return async (plan, child) => {
    try {
      const host = await startHost(run, prepared, exec, plan, seal(run, prepared, { ...facts, plan }));
      return hostTransport({
        host,
        lineMax: spec.lineMax,
        marker: { name: TASK_MARKER, value: run.task.id },
        spare: () => registeredProcesses(ctx.exec),
        clock: ctx.clock,
        takeOver: false,
      });
    } catch (error) {
      run.logger.warn("the agent's host could not be started; the agent becomes a child of the daemon", { error: errorText(error) });
      journal(run, "agent without host", (file) => file.updateTask(run.task.id, { agent_host: null }));
      return child();
    }
  };
}

async function startHost(run: TaskRun, prepared: Prepared, exec: ExecService, plan: LaunchPlan, sealed: string): Promise<AgentHost> {
  const { ctx, task, job } = run;
  const { environment } = prepared;
  const hosting = hostingOf(run);
  const { lock, host: previous } = hosting;
  if (lock !== null) await lock.takeBack(previous, ctx.clock);
  try {
    const host = await exec.startAgent({
      threadId: agentThread(task.id),
      owner: { kind: "task", taskId: task.id, agentId: job.agent.id, envRoot: environment.root, ...(job.issueId === "" ? {} : { issueId: job.issueId }) },
      argv: [plan.executable, ...plan.args],
      cwd: environment.workdir,
      // Its commands wait for a daemon that is being started again.
      env: { ...plan.env, MULTICA_DAEMON_RETURNS: "1" },
      stdin: "pipe",
      limits: { ringBytes: LOG_BYTES },
      sealed,
      ...(lock === null ? {} : { passLock: (identity) => lock.passTo(identity) }),
    });
    hosting.host = host;
    journal(run, "agent's host", (state) =>
      state.updateTask(task.id, { agent_host: host.xid, token_hash: sha256Hex(job.token), log_seq: 0, log_message: 0, log_held: 0 }),
    );
    return host;
  } finally {
    if (hosting.host === previous) await lock?.takeBack(null, ctx.clock);
    // What the first process said is in safe hands, or was nothing.
    else await previous?.dismiss();
  }
}
