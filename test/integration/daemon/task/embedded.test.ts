import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { taskSchema } from "../../../../src/lib/wire/index.ts";
import { liveServer } from "../../../support/live-server.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";
import { waitFor } from "../../../support/wait.ts";

interface Run {
  readonly id: string;
  readonly status: string;
  readonly failure_reason?: string;
  readonly session_id?: string;
  readonly parent_task_id?: string;
}

/** An issue on the embedded server, assigned to a codex agent that this test's daemon runs. */
async function world(agent: string) {
  const server = await liveServer();
  const runtimeId = await server.register();
  const daemon = await taskDaemon({ agent, provider: "codex", live: { url: server.url, token: server.token, workspaceId: server.workspaceId, runtimeId } });
  const codexHome = join(daemon.home, ".codex");
  mkdirSync(codexHome, { recursive: true });
  const agentId = await server.agent(runtimeId);
  const issueId = await server.issue(agentId);
  const claim = async () => {
    const [task] = await server.claim([runtimeId]);
    return daemon.claimed(taskSchema.parse(task));
  };
  const runs = () => server.get<Run[]>(`/api/issues/${issueId}/task-runs`);
  return { server, daemon, issueId, claim, runs, codexHome };
}

describe("the pipeline against the embedded server", () => {
  it("completes an issue's task: transcript, session and answer arrive", async () => {
    const { server, daemon, issueId, claim, runs, codexHome } = await world("codex-happy");
    const day = join(codexHome, "sessions", "2026", "01", "01");
    mkdirSync(day, { recursive: true });
    writeFileSync(join(day, "rollout-2026-01-01T00-00-00-thread-fixture.jsonl"), "{}\n");
    const task = await claim();
    await runTask(daemon.ctx, task, 1);
    expect(await runs()).toEqual([expect.objectContaining({ id: task.id, status: "completed", session_id: "thread-fixture" })]);
    const messages = await server.get<{ seq: number }[]>(`/api/tasks/${task.id}/messages?since=0`);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.map((message) => message.seq)).toEqual(messages.map((_message, index) => index + 1));
    expect(await server.get<unknown[]>(`/api/issues/${issueId}/comments`)).toHaveLength(1);
  });

  it("withholds a codex session that has no file", async () => {
    const { daemon, claim, runs } = await world("codex-happy");
    await runTask(daemon.ctx, await claim(), 1);
    const [run] = await runs();
    expect(run?.status).toBe("completed");
    expect(run?.session_id ?? "").toBe("");
    expect(daemon.log()).toContain("not offered for resume");
  });

  it("is stopped by a user's cancel and acknowledges it", async () => {
    const { server, daemon, claim, runs } = await world("codex-hang");
    const task = await claim();
    const done = runTask(daemon.ctx, task, 1);
    await waitFor("the agent", () => daemon.ctx.counters.running === 1);
    await server.post(`/api/tasks/${task.id}/cancel`);
    daemon.ctx.reconcile.broadcast();
    await done;
    expect(await runs()).toEqual([expect.objectContaining({ status: "cancelled" })]);
    expect(daemon.state?.getTask(task.id)?.terminal_kind).toBe("cancelled");
  }, 60_000);

  it("hands an interrupted task back, and the server makes a retry of it", async () => {
    const { daemon, claim, runs } = await world("codex-hang");
    const task = await claim();
    const done = runTask(daemon.ctx, task, 1);
    await waitFor("the agent", () => daemon.ctx.counters.running === 1);
    daemon.shutdown.abort();
    await done;
    const all = await runs();
    expect(all.find((run) => run.id === task.id)).toMatchObject({ status: "failed", failure_reason: "runtime_recovery" });
    expect(all.some((run) => run.parent_task_id === task.id && run.status === "queued")).toBe(true);
  }, 60_000);
});
