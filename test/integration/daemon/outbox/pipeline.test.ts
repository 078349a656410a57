import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";
import { waitFor } from "../../../support/wait.ts";

describe("the pipeline with an outbox", () => {
  it("sends messages, session, usage and one ending in order, and closes the task's row when it was taken", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", outbox: true });
    const task = daemon.task();
    await runTask(daemon.ctx, task, 0);
    await waitFor("the reports to be delivered", () => daemon.ctx.outbox?.lanes.size === 0);
    expect(daemon.server.order().at(-1)).toBe("complete");
    expect(daemon.server.order().filter((route) => route === "complete" || route === "fail")).toHaveLength(1);
    expect(daemon.server.entries().map((entry) => entry["seq"])).toEqual(daemon.server.entries().map((_, index) => index + 1));
    expect(daemon.state?.getTask(task.id)).toMatchObject({ phase: "done", terminal_kind: "complete", agent_pid: null });
  });

  it("gives its slot free while the server is away, with the ending on disk", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", outbox: true });
    const task = daemon.task();
    daemon.server.script = (route) => (route === "complete" || route === "messages" ? { status: 503, body: { error: "away" } } : undefined);
    await runTask(daemon.ctx, task, 0);
    expect(daemon.state?.getTask(task.id)).toMatchObject({ phase: "reporting", terminal_kind: "complete" });
    expect(daemon.ctx.outbox?.lanes.get(task.id)?.entries.some((entry) => entry.kind === "complete" && !entry.held)).toBe(true);
  });

  it("takes an ending back that the server had decided itself", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", outbox: true });
    const task = daemon.task();
    daemon.server.script = (route, nth) => (route === "status" && nth >= 1 && daemon.server.state === "running" ? { status: 200, body: { status: "cancelled" } } : undefined);
    await runTask(daemon.ctx, task, 0);
    await waitFor("the outbox to be empty", () => daemon.ctx.outbox?.lanes.size === 0);
    expect(daemon.server.order().filter((route) => route === "complete" || route === "fail")).toEqual([]);
    expect(daemon.server.order()).toContain("cancel-ack");
  });

  it("acknowledges a cancellation only after the last words have arrived, although they had to be sent again", async () => {
    const daemon = await taskDaemon({ agent: "acp-billed", outbox: true });
    const { server } = daemon;
    let refused = 0;
    server.script = (route) => (route === "messages" && server.state === "cancelled" && (refused += 1) === 1 ? { status: 429, body: { error: "busy" } } : undefined);
    const done = runTask(daemon.ctx, daemon.task(), 0);
    await waitFor("the agent's first words", () => server.entries().length > 0);
    server.state = "cancelled";
    daemon.ctx.reconcile.broadcast();
    await done;
    expect(refused).toBeGreaterThan(1);
    expect(server.order().slice(-1)).toEqual(["cancel-ack"]);
    expect(server.entries().at(-1)).toMatchObject({ content: "stopping\n" });
  });

  it("works as before without the state file", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", withoutState: true });
    expect(daemon.ctx.outbox).toBeNull();
    await runTask(daemon.ctx, daemon.task(), 0);
    expect(daemon.server.order().at(-1)).toBe("complete");
  });
});
