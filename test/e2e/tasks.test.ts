import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findByEnv, identityAlive, processIdentity, sendSignal } from "../../src/lib/platform/index.ts";
import type { Comment } from "../../src/lib/wire/index.ts";
import { keep, releaseKept } from "../support/at-end.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";

async function withAgent(product: Product): Promise<string> {
  const runtime = await product.exampleRuntime();
  const agent = await product.api().createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" });
  return agent.id;
}

describe("tasks through the whole product", () => {
  let product: Product;
  let agentId: string;

  beforeAll(async () => {
    product = await keep(async () => {
      const made = new Product();
      await made.setUp();
      await made.repository();
      return made;
    });
    agentId = await withAgent(product);
  }, 60_000);
  afterAll(releaseKept, 60_000);

  it("runs five tasks at once on one daemon, each in its own environment", async () => {
    const api = product.api();
    const gate = join(product.home, "gate");
    const issues = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        api.createIssue({ title: `Issue ${n}`, description: `echo: run until [ -e '${gate}' ]; do sleep 0.1; done`, assignee_type: "agent", assignee_id: agentId }),
      ),
    );
    await waitFor("all five to run at the same time", async () => {
      const runs = await Promise.all(issues.map(async (issue) => (await api.taskRuns(issue.id))[0]?.status));
      return runs.every((status) => status === "running");
    }, 40_000);
    writeFileSync(gate, "");
    const tasks = await Promise.all(issues.map((issue) => product.waitForTask(issue)));
    expect(tasks.map((task) => task.status)).toEqual(Array(5).fill("completed"));
    expect(new Set(tasks.map((task) => task.work_dir)).size).toBe(5);
    for (const task of tasks) expect(findByEnv("MULTICA_TASK_ID", task.id)).toEqual([]);
  });

  it("recovers a task whose daemon was killed: the old agent ends, a retry finishes the work", async () => {
    const api = product.api();
    const issue = await api.createIssue({ title: "Long", description: "echo: sleep 120s", assignee_type: "agent", assignee_id: agentId });
    const running = await product.waitForTask(issue, (task) => task.status === "running");
    const agents = await waitFor("the agent's processes", () => {
      const found = findByEnv("MULTICA_TASK_ID", running.id);
      return found.length > 0 && found;
    });
    const identities = agents.flatMap((entry) => processIdentity(entry.pid) ?? []);
    expect(identities.length).toBeGreaterThan(0);

    const daemon = product.daemonInfo();
    sendSignal(daemon.pid, "SIGKILL");
    await waitFor("the daemon to be gone", () => processIdentity(daemon.pid) === null);
    expect(identities.some(identityAlive)).toBe(true);
    await api.updateIssue(issue.id, { description: "nothing special" });
    await product.json(["daemon", "start", "--port", "0"]);

    expect(identities.filter(identityAlive)).toEqual([]);
    const retry = await product.waitForTask(issue, (task) => task.id !== running.id && task.status === "completed");
    expect(retry).toMatchObject({ attempt: 2, parent_task_id: running.id });
    const first = await product.waitForTask(issue, (task) => task.id === running.id);
    expect(first).toMatchObject({ status: "failed", failure_reason: "runtime_recovery" });
    expect(findByEnv("MULTICA_TASK_ID", running.id)).toEqual([]);
  });

  it("answers a comment in the same environment and the same session", async () => {
    const api = product.api();
    const issue = await api.createIssue({ title: "Talk", assignee_type: "agent", assignee_id: agentId });
    const first = await product.waitForTask(issue);
    const comment = await api.addComment(issue.id, { content: "And again, please." });
    const second = await product.waitForTask(issue, (task) => task.id !== first.id && task.status === "completed");
    expect(second.work_dir).toBe(first.work_dir);
    expect(second.session_id).toBe(first.session_id);
    const comments = (await api.comments(issue.id)).body as Comment[];
    expect(comments.find((reply) => reply.parent_id === comment.id)?.author_type).toBe("agent");
  });

  it("cancels a task whose agent ignores the request, and ends its whole tree", async () => {
    const api = product.api();
    const issue = await api.createIssue({
      title: "Stubborn",
      description: `echo: ignore-cancel\necho: fork-holder\necho: run touch '${join(product.home, "stubborn")}'\necho: sleep 120s`,
      assignee_type: "agent",
      assignee_id: agentId,
    });
    const running = await product.waitForTask(issue, (task) => task.status === "running");
    await waitFor("the agent to be at its worst", () => existsSync(join(product.home, "stubborn")));
    expect(findByEnv("MULTICA_TASK_ID", running.id).length).toBeGreaterThan(0);
    const cancelled = await product.json<{ status: string }>(["issue", "cancel-task", running.id]);
    expect(cancelled.status).toBe("cancelled");
    await waitFor("every process of the task to end", () => findByEnv("MULTICA_TASK_ID", running.id).length === 0, 30_000);
    await waitFor("the slot to be free", async () => {
      const status = await product.json<{ active_task_count?: number }>(["daemon", "status"]);
      return status.active_task_count === 0;
    }, 20_000);
  });

  it("reports an agent that crashes as failed, with its reason", async () => {
    const issue = await product.api().createIssue({ title: "Crash", description: "echo: crash", assignee_type: "agent", assignee_id: agentId });
    const task = await product.waitForTask(issue);
    expect(task.status).toBe("failed");
    expect(task.error).not.toBe("");
    expect(task.failure_reason).not.toBe("");
  });

  it("keeps two daemons of two profiles apart", async () => {
    const one = product;
    const two = new Product({ home: one.home, profile: "second" });
    await two.setUp();
    expect(one.daemonInfo().port).not.toBe(two.daemonInfo().port);
    await two.repository("other");
    const work = async (place: Product, agent: string) => place.api().createIssue({ title: "Work", assignee_type: "agent", assignee_id: agent });
    const issues = [await work(one, agentId), await work(two, await withAgent(two))];
    const tasks = await Promise.all([one, two].map((place, index) => place.waitForTask(issues[index] ?? issueMissing())));
    expect(tasks.map((task) => task.status)).toEqual(["completed", "completed"]);
    await one.json(["daemon", "stop"]);
    expect((await two.json<{ status: string }>(["daemon", "status"])).status).toBe("running");
  });
});

function issueMissing(): never {
  throw new Error("no issue");
}
