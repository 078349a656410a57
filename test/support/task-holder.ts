import type { DaemonContext } from "../../src/lib/daemon/context.ts";
import { processIdentity, spawnGroup } from "../../src/lib/platform/index.ts";
import type { Task } from "../../src/lib/wire/index.ts";

/** Starts a process that bears the task's marker, writes it down as the pipeline does, and never ends by itself. */
export async function holdTask(ctx: DaemonContext, task: Task): Promise<void> {
  const child = await spawnGroup({ command: "/bin/sleep", args: ["1000"], cwd: "/", env: { MULTICA_TASK_ID: task.id } });
  const identity = processIdentity(child.pid);
  ctx.state?.updateTask(task.id, {
    agent_pid: child.pid,
    agent_pgid: child.pid,
    ...(identity === null ? {} : { agent_start_key: identity.startKey, agent_boot_id: identity.bootId }),
  });
  ctx.state?.setPhase(task.id, "running");
  await child.exited;
}
