import { describe, expect, it, onTestFinished } from "vitest";
import { createHttp } from "../../../src/lib/api/ky-http.ts";
import type { DaemonContext } from "../../../src/lib/daemon/context.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import type { AgentRuntime, Issue, Task } from "../../../src/lib/wire/index.ts";
import { configFor, type TestServer, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { waitFor } from "../../support/wait.ts";

interface Claimed {
  readonly ctx: DaemonContext;
  readonly task: Task;
  readonly slot: number;
  finish(): void;
}

/** A pipeline that holds each task until the test lets it go, or the daemon stops. */
function heldPipeline(): { readonly claimed: Claimed[]; runTask(ctx: DaemonContext, task: Task, slot: number): Promise<void> } {
  const claimed: Claimed[] = [];
  return {
    claimed,
    runTask: (ctx, task, slot) => {
      const done = Promise.withResolvers<void>();
      ctx.rootSignal.addEventListener("abort", () => done.resolve(), { once: true });
      claimed.push({ ctx, task, slot, finish: done.resolve });
      return done.promise;
    },
  };
}

async function onlineRuntime(server: TestServer): Promise<AgentRuntime> {
  return waitFor("an online runtime", async () => (await server.api.runtimes()).find((runtime) => runtime.status === "online"));
}

async function assignedIssue(server: TestServer, runtimeId: string, name: string): Promise<Issue> {
  const agent = await server.api.createAgent({ name, runtime_id: runtimeId });
  return server.api.createIssue({ title: name, assignee_type: "agent", assignee_id: agent.id });
}

/** Deletes a runtime behind the daemon's back. */
async function deleteRuntime(server: TestServer, id: string): Promise<void> {
  const http = createHttp({ serverUrl: server.url, token: server.token, platform: "cli", clientVersion: "0.4.24", os: "linux", workspaceId: server.workspaceId });
  await http.request("DELETE", `/api/runtimes/${id}`);
}

describe("claiming", () => {
  it("starts a task on the socket's hint, long before the poll timer, with the lowest slot", async () => {
    const server = await testServer();
    const home = testHome();
    const { claimed, runTask } = heldPipeline();
    await testDaemon(home, configFor(home, server), { runTask });
    const runtime = await onlineRuntime(server);
    const issue = await assignedIssue(server, runtime.id, "first");
    const start = systemClock.monotonic();
    const first = await waitFor("the task", () => claimed[0], 5000);
    expect(systemClock.monotonic() - start).toBeLessThan(5000);
    expect(first.task).toMatchObject({ issue_id: issue.id, runtime_id: runtime.id });
    expect(first.slot).toBe(0);
    expect(first.ctx.barrier.activeTasks).toBe(1);
    first.finish();
    await waitFor("the slot to be free", () => first.ctx.slots.freeCount === first.ctx.slots.count);
    expect(first.ctx.barrier.activeTasks).toBe(0);
  });

  it("asks for no more than it has slots, and for the next one when a task ends", async () => {
    const server = await testServer();
    const home = testHome();
    const { claimed, runTask } = heldPipeline();
    await testDaemon(home, configFor(home, server, "", { maxConcurrentTasks: 2 }), { runTask });
    const runtime = await onlineRuntime(server);
    for (const name of ["a", "b", "c"]) await assignedIssue(server, runtime.id, name);
    await waitFor("two tasks", () => claimed.length === 2);
    expect(claimed.map(({ slot }) => slot).sort()).toEqual([0, 1]);
    claimed[0]?.finish();
    const third = await waitFor("the third task", () => claimed[2], 5000);
    expect(third.slot).toBe(claimed[0]?.slot);
  });

  it("hands running tasks the shutdown, waits for them, and takes the runtimes offline", async () => {
    const server = await testServer();
    const home = testHome();
    const { claimed, runTask } = heldPipeline();
    const daemon = await testDaemon(home, configFor(home, server), { runTask });
    const runtime = await onlineRuntime(server);
    await assignedIssue(server, runtime.id, "one");
    const first = await waitFor("the task", () => claimed[0]);
    await daemon.stop();
    expect(first.ctx.rootSignal.aborted).toBe(true);
    expect((await server.api.runtimes()).map(({ status }) => status)).toEqual(["offline"]);
  });

  it("ends although a task ignores the shutdown", async () => {
    const server = await testServer();
    const home = testHome();
    const stuck = Promise.withResolvers<void>();
    onTestFinished(() => stuck.resolve());
    let seen = 0;
    const daemon = await testDaemon(home, configFor(home, server), {
      limits: { taskDrain: 100 },
      runTask: () => {
        seen += 1;
        return stuck.promise;
      },
    });
    await assignedIssue(server, (await onlineRuntime(server)).id, "stuck");
    await waitFor("the task", () => seen === 1);
    await daemon.stop();
  });
});

describe("a runtime that the server has deleted", () => {
  it("is registered anew once, and takes tasks again", async () => {
    const server = await testServer();
    const home = testHome();
    const { claimed, runTask } = heldPipeline();
    const daemon = await testDaemon(home, configFor(home, server, "", { heartbeatIntervalMs: 100 }), { runTask });
    const before = await onlineRuntime(server);
    await deleteRuntime(server, before.id);
    const after = await waitFor("a new runtime", async () => (await server.api.runtimes()).find((runtime) => runtime.id !== before.id && runtime.status === "online"));
    expect((await daemon.health()).workspaces).toEqual([{ id: server.workspaceId, runtimes: [after.id] }]);
    expect(await server.api.runtimes()).toHaveLength(1);
    await assignedIssue(server, after.id, "again");
    await waitFor("the task", () => claimed[0], 5000);
  });
});
