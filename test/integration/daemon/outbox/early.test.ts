import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { findByEnv } from "../../../../src/lib/platform/index.ts";
import type { ReportRow } from "../../../../src/lib/state/index.ts";
import { openStateReader } from "../../../../src/lib/state/open.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";
import { waitFor } from "../../../support/wait.ts";

const kinds = (rows: readonly ReportRow[]): string[] => rows.map((row) => row.kind);

describe("an agent that has said how its turn ended, and whose process still lives", () => {
  it("has its success on disk, behind its messages and its usage, and sent once when the process has ended", async () => {
    const daemon = await taskDaemon({ agent: "acp-linger", outbox: true });
    const task = daemon.task();
    // Nothing of it gets out: what is asked is what a process that dies now would leave.
    daemon.server.script = (route) => (["messages", "usage", "session", "complete"].includes(route) ? { status: 503, body: { error: "away" } } : undefined);
    const running = runTask(daemon.ctx, task, 0);
    await waitFor("the success to be written down", () => daemon.state?.getTask(task.id)?.terminal_kind === "complete");
    expect(findByEnv("MULTICA_TASK_ID", task.id)).not.toEqual([]);
    expect(daemon.state?.getTask(task.id)).toMatchObject({ phase: "reporting", agent_pid: expect.any(Number) as number });
    const reader = openStateReader({ stateDir: daemon.ctx.stateDir });
    // Messages go out in batches of half a second: on a busy machine there are several.
    const order = kinds(reader?.laneReports(task.id) ?? []).filter((kind) => kind !== "session");
    expect(order.filter((kind, at) => kind !== "messages" || order[at - 1] !== "messages")).toEqual(["messages", "usage", "complete"]);
    reader?.close();
    expect(daemon.ctx.outbox?.lanes.get(task.id)?.entries.at(-1)).toMatchObject({ kind: "complete", held: true });
    daemon.server.script = () => undefined;
    await running;
    daemon.ctx.outbox?.kick();
    await waitFor("the reports to be delivered", () => daemon.ctx.outbox?.lanes.size === 0);
    const sent = daemon.server.order();
    expect(sent.filter((route) => route === "complete" || route === "fail").length).toBeGreaterThan(0);
    expect(sent.at(-1)).toBe("complete");
    expect(daemon.state?.getTask(task.id)).toMatchObject({ phase: "done", terminal_kind: "complete", agent_pid: null });
  });

  it("has no ending on disk when that was no explicit success", async () => {
    const daemon = await taskDaemon({ agent: "acp-linger", outbox: true, env: { LINGER_END: "" } });
    const task = daemon.task();
    const { state, ctx } = daemon;
    const kindsSeen = new Set<string>();
    const alive = (): boolean => findByEnv("MULTICA_TASK_ID", task.id).length > 0;
    const running = runTask(ctx, task, 0);
    // The turn ends behind these words; the process stays for two seconds more.
    await waitFor("the agent's words to be handed over", () => (state?.getTask(task.id)?.next_seq ?? 0) > 1);
    while (alive()) {
      kindsSeen.add(state?.getTask(task.id)?.terminal_kind ?? "none");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await running;
    expect(kindsSeen).not.toContain("complete");
    await waitFor("the ending to be delivered", () => ctx.outbox?.lanes.size === 0);
    expect(daemon.server.order().filter((route) => route === "complete")).toEqual([]);
    expect(daemon.server.order().at(-1)).toBe("fail");
  });
});
