import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Issue, TaskRow } from "../../src/lib/wire/index.ts";
import { type Interruption, completedOnce, expectSteps, interruptExampleAgent, killDaemon, steps, transcriptOf } from "../support/agent-turns.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";

// A hundred times in a row, killed and restarted by turns: what lets agents under exec hosts be the default.
const ROUNDS = 10;
const TASKS = 2;
const INTERRUPTIONS: readonly Interruption[] = ["kill", "restart", "kill", "kill", "restart"];

describe("agents under exec hosts", () => {
  it.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))("outlive ten interruptions of the daemon, round %i", async () => {
    const product = new Product({ env: { MULTICA_AGENT_TRANSPORT: "host" } });
    await product.setUp();
    const runtime = await product.exampleRuntime();
    const agent = await product.api().createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" });
    for (let task = 0; task < TASKS; task += 1) await interruptExampleAgent(product, agent.id, INTERRUPTIONS);
  }, 300_000);

  it("go on while a task beside it, whose agent was a child of the daemon, is given back and run again", async () => {
    const product = new Product({ env: { MULTICA_AGENT_TRANSPORT: "host" } });
    await product.setUp();
    const runtime = await product.exampleRuntime();
    const api = product.api();
    const agent = await api.createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" });
    const gate = join(product.home, "gate");
    const begin = async (title: string, description: string): Promise<{ issue: Issue; task: TaskRow }> => {
      const issue = await api.createIssue({ title, description, assignee_type: "agent", assignee_id: agent.id });
      const task = await product.waitForTask(issue, (row) => row.status === "running");
      await waitFor("the agent to get on", async () => (await api.taskMessages(task.id)).some((message) => message.type === "tool_result"), 30_000);
      return { issue, task };
    };
    const hosted = await begin("Hosted", steps(2, 50, gate));
    const restarted = await product.run(["daemon", "restart"], { env: { MULTICA_AGENT_TRANSPORT: "child" } });
    expect(restarted.code).toBe(0);
    const child = await begin("Child", `echo: run echo here\necho: run until [ -e '${gate}' ]; do sleep 0.05; done`);
    await killDaemon(product);
    await product.json(["daemon", "start", "--port", "0"]);
    const again = await product.waitForTask(child.issue, (row) => row.id !== child.task.id && row.status === "running", 60_000);
    expect(again).toMatchObject({ attempt: 2, parent_task_id: child.task.id });
    writeFileSync(gate, "");
    expect((await completedOnce(product, hosted.issue)).id).toBe(hosted.task.id);
    expectSteps(await transcriptOf(product, hosted.task.id), 3);
    expect((await product.waitForTask(child.issue, (row) => row.id === again.id && row.status !== "running")).status).toBe("completed");
  }, 300_000);
});
