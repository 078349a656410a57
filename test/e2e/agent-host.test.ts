import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Issue, TaskRow } from "../../src/lib/wire/index.ts";
import { completedOnce, expectSteps, interruptExampleAgent, killDaemon, leftOf, steps, transcriptOf } from "../support/agent-turns.ts";
import { keep, releaseKept } from "../support/at-end.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";

const STEPS = 6;

interface AtWork {
  readonly product: Product;
  readonly agentId: string;
}

async function hosted(options: { readonly repository: boolean }): Promise<AtWork> {
  const product = new Product({ env: { MULTICA_AGENT_TRANSPORT: "host" } });
  await product.setUp();
  // The agent checks it out at the end, over the local port: its token must be known to whichever daemon is there then.
  if (options.repository) await product.repository();
  const runtime = await product.exampleRuntime();
  return { product, agentId: (await product.api().createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" })).id };
}

/** A task whose agent is in the middle of its steps and waits for the file `gate` at their end. */
async function inTheMiddle({ product, agentId }: AtWork, title: string): Promise<{ issue: Issue; running: TaskRow; gate: string }> {
  const api = product.api();
  const gate = join(product.home, `gate-${title}`);
  const issue = await api.createIssue({ title, description: steps(STEPS, 50, gate), assignee_type: "agent", assignee_id: agentId });
  const running = await product.waitForTask(issue, (task) => task.status === "running");
  await waitFor("the agent to get on", async () => (await api.taskMessages(running.id)).some((message) => message.type === "tool_result"), 30_000);
  return { issue, running, gate };
}

let withRepository: AtWork;
let bare: AtWork;

beforeAll(async () => {
  await keep(async () => {
    [withRepository, bare] = await Promise.all([hosted({ repository: true }), hosted({ repository: false })]);
  });
}, 120_000);

afterAll(releaseKept, 60_000);

describe("agents under exec hosts (the full count is in test/long)", () => {
  it("outlive a daemon that is killed, and one that is restarted: same process, whole transcript, completed once", async () => {
    const { product, agentId } = withRepository;
    await interruptExampleAgent(product, agentId, ["kill", "restart"]);
    await interruptExampleAgent(product, agentId, ["restart", "kill"]);
  }, 180_000);

  it("work on while no daemon lives and are reported by the next one; are ended when cancelled meanwhile, and by a stop", async () => {
    const world = bare;
    const { product } = world;
    const [finished, cancelled] = await Promise.all([inTheMiddle(world, "finished"), inTheMiddle(world, "cancelled")]);
    await killDaemon(product);
    writeFileSync(finished.gate, "");
    await product.json(["issue", "cancel-task", cancelled.running.id]);
    await waitFor("the agent to finish its work", async () => (await product.api().issue(finished.issue.id)).status === "in_review", 30_000);
    await product.json(["daemon", "start", "--port", "0"]);

    const task = await completedOnce(product, finished.issue);
    expect(task.id).toBe(finished.running.id);
    expectSteps(await transcriptOf(product, task.id), STEPS + 1);
    await waitFor("both agents' processes to be gone", () => [finished, cancelled].every(({ running }) => leftOf(running.id).length === 0), 30_000);
    expect((await product.waitForTask(cancelled.issue, (row) => row.id === cancelled.running.id)).status).toBe("cancelled");

    const stopped = await inTheMiddle(world, "stopped");
    await product.json(["daemon", "stop"]);
    await waitFor("the agent's processes to be gone", () => leftOf(stopped.running.id).length === 0, 30_000);
  }, 180_000);
});
