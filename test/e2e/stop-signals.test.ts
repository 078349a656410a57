import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findByEnv, processIdentity, sendSignal } from "../../src/lib/platform/index.ts";
import type { Issue } from "../../src/lib/wire/index.ts";
import { keep, releaseKept } from "../support/at-end.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";

/** A daemon with one running task; `{gate}` in what its agent is told to do stands for a file of the home. */
async function working(behaviour: string) {
  const product = new Product();
  await product.setUp();
  await product.repository();
  const runtime = await product.exampleRuntime();
  const api = product.api();
  const agent = await api.createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" });
  const give = (title: string, description: string): Promise<Issue> => api.createIssue({ title, description, assignee_type: "agent", assignee_id: agent.id });
  const gate = join(product.home, "gate");
  const issue = await give("First", behaviour.replace("{gate}", gate));
  const task = await product.waitForTask(issue, (row) => row.status === "running");
  const { pid } = product.daemonInfo();
  const agents = (): number => findByEnv("MULTICA_TASK_ID", task.id).length;
  await waitFor("the agent", () => agents() > 0);
  const log = async (): Promise<string> => (await product.run(["daemon", "logs", "-n", "200"])).stdout;
  const sent = { at: 0 };
  /** Signals within half a second of one another count as one; for other commands within a second, after which they just end. */
  const signal = async (): Promise<void> => {
    await waitFor("an echo to be out of the question", () => performance.now() - sent.at > 1100);
    sent.at = performance.now();
    expect(sendSignal(pid, "SIGTERM")).toBe(true);
  };
  const gone = (ms: number): Promise<boolean> => waitFor("the daemon to end", () => processIdentity(pid) === null, ms);
  return { product, api, issue, task, gate, agents, give, log, gone, signal };
}

type Working = Awaited<ReturnType<typeof working>>;
let finishing: Working;
let sleeping: Working;
let stubborn: Working;

beforeAll(async () => {
  // One beside the other: most of a set-up is waiting for processes.
  await keep(async () => {
    [finishing, sleeping, stubborn] = await Promise.all([
      working("echo: run until [ -e '{gate}' ]; do sleep 0.05; done"),
      working("echo: sleep 600s"),
      working("echo: ignore-cancel\necho: sleep 600s"),
    ]);
  });
}, 120_000);

afterAll(releaseKept, 60_000);

describe("signals that stop the daemon", () => {
  it("first: it claims nothing more, and what runs may finish", async () => {
    const { product, api, issue, gate, give, log, gone, signal } = finishing;
    await signal();
    await waitFor("the daemon to have heard it", async () => (await log()).includes("no more tasks are claimed"));
    const second = await give("Second", "");
    writeFileSync(gate, "");
    await gone(20_000);
    const [done, waiting] = [await product.waitForTask(issue), (await api.taskRuns(second.id))[0]];
    expect([done.status, waiting?.status, waiting?.attempt]).toEqual(["completed", "queued", 1]);
  });

  it("second: what runs is cancelled with its grace, and reported", async () => {
    const { product, issue, task, agents, log, gone, signal } = sleeping;
    await signal();
    await waitFor("the daemon to have heard it", async () => (await log()).includes("no more tasks are claimed"));
    expect(agents()).toBeGreaterThan(0);
    await signal();
    await gone(15_000);
    expect(agents()).toBe(0);
    expect(await product.waitForTask(issue, (row) => row.id === task.id)).toMatchObject({ status: "failed", failure_reason: "runtime_recovery" });
  });

  it("third: everything of the tasks ends at once, and so does the daemon", async () => {
    const { agents, log, gone, signal } = stubborn;
    await signal();
    await waitFor("the daemon to have heard it", async () => (await log()).includes("no more tasks are claimed"));
    await signal();
    await waitFor("the daemon to have heard it again", async () => (await log()).includes("waiting for in-flight tasks"));
    const at = performance.now();
    await signal();
    await gone(5000);
    await waitFor("the agent to be gone", () => agents() === 0, 3000);
    expect(performance.now() - at).toBeLessThan(8000);
  });
});
