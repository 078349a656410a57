import { onTestFinished } from "vitest";
import type { LaunchPlan } from "../../src/lib/agents/index.ts";
import type { AgentTransport } from "../../src/lib/agents/transport/transport.ts";
import { hostTransport } from "../../src/lib/agents/transport/host.ts";
import { type AgentHost, type ExecLimits, agentThread } from "../../src/lib/exec/index.ts";
import { systemClock } from "../../src/lib/platform/index.ts";
import { type ExecWorld, execWorld } from "./exec.ts";

export interface HostOptions {
  readonly taskId: string;
  readonly cwd: string;
  readonly lineMax: number;
  readonly limits?: ExecLimits;
}

/** Opens agents' processes under exec hosts, which are let go when the test ends. */
export function agentHosts(world: ExecWorld = execWorld()): { readonly world: ExecWorld; readonly hosts: AgentHost[]; open(plan: LaunchPlan, options: HostOptions): Promise<AgentTransport> } {
  const hosts: AgentHost[] = [];
  onTestFinished(async () => {
    for (const host of hosts) {
      await host.terminate(0);
      await host.dismiss();
    }
  });
  return {
    world,
    hosts,
    async open(plan, { taskId, cwd, lineMax, limits }) {
      const host = await world.service.startAgent({
        threadId: agentThread(taskId),
        owner: { kind: "task", taskId },
        argv: [plan.executable, ...plan.args],
        cwd,
        env: { ...plan.env },
        stdin: "pipe",
        limits: limits ?? { ringBytes: 64 << 20 },
      });
      hosts.push(host);
      return hostTransport({ host, lineMax, marker: { name: "MULTICA_TASK_ID", value: taskId }, clock: systemClock, takeOver: false });
    },
  };
}
