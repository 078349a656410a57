import { describe, expect, it } from "vitest";
import type { DaemonApi } from "../../../src/lib/api/daemon-api.ts";
import { RequestError } from "../../../src/lib/api/index.ts";
import { ClaimBarrier } from "../../../src/lib/daemon/barrier.ts";
import { ClaimHistory } from "../../../src/lib/daemon/loops/claim-history.ts";
import { type QueueParts, QueueView, waitReason } from "../../../src/lib/daemon/queue.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { Slots } from "../../../src/lib/daemon/slots.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { Task, TaskRow } from "../../../src/lib/wire/index.ts";

function world() {
  const clock = new HeldClock();
  const runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  runtimes.replace("w", [{ id: "r", name: "r", provider: "codex", profileId: null }]);
  const root = new AbortController();
  const barrier = new ClaimBarrier();
  const slots = new Slots(1);
  const history = new ClaimHistory();
  const facts = { inside: [] as string[], busy: 0, trouble: null as string | null, mayClaim: true, rows: [] as TaskRow[], failure: null as Error | null };
  const parts: QueueParts = {
    api: { pendingTasks: () => (facts.failure === null ? Promise.resolve(facts.rows) : Promise.reject(facts.failure)) } as unknown as DaemonApi,
    barrier,
    clock,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    slots,
    state: () => ({ trouble: facts.trouble }) as ReturnType<QueueParts["state"]>,
    history,
    dispatcher: { has: (id) => facts.inside.includes(id), agentTasks: () => facts.busy },
    pollIntervalMs: 30_000,
    mayClaim: () => facts.mayClaim,
  };
  const row: TaskRow = { id: "t", agent_id: "a", runtime_id: "r", workspace_id: "w", status: "queued", created_at: new Date(clock.now()).toISOString() };
  const why = (changes: Partial<TaskRow> = {}): string => waitReason(parts, { ...row, ...changes }).reason;
  return { clock, runtimes, root, barrier, slots, history, facts, parts, row, why };
}

describe("why a task waits", () => {
  it("is what stands in its way first", async () => {
    const { clock, root, barrier, slots, history, facts, why } = world();
    expect(why()).toBe("not_asked_yet");
    await clock.advance(1000);
    history.note(["r"], { at: clock.now(), max: 1 }, { kind: "tasks", tasks: [] });
    expect(why()).toBe("held_by_server");
    history.note(["r"], { at: clock.now(), max: 1 }, { kind: "tasks", tasks: [{} as Task] });
    expect(why()).toBe("next_turn");
    history.note(["r"], { at: clock.now(), max: 1 }, { kind: "tasks", tasks: [] });
    facts.busy = 2;
    expect(why()).toBe("agent_busy");
    history.note(["r"], { at: clock.now(), max: 1 }, { kind: "failed", error: "away" });
    expect(why()).toBe("server_failed");
    history.note(["r"], { at: clock.now(), max: 1 }, { kind: "uncertain" });
    expect(why()).toBe("uncertain_claim");
    slots.tryTake();
    expect(why()).toBe("no_slot");
    facts.mayClaim = false;
    expect(why()).toBe("recovering");
    facts.trouble = "full";
    expect(why()).toBe("disk");
    barrier.trySetBarrier();
    expect(why()).toBe("paused");
    expect(why({ runtime_id: "other" })).toBe("unknown_runtime");
    barrier.close();
    expect(why()).toBe("stopping");
    root.abort();
    expect(why()).toBe("stopping");
    expect(why({ status: "dispatched" })).toBe("lost_claim");
    facts.inside = ["t"];
    expect(why({ status: "dispatched" })).toBe("starting");
  });

  it("is told with the picture of the last look; a look that fails keeps it and says so", async () => {
    const { facts, parts, row } = world();
    const view = new QueueView(parts);
    expect(view.snapshot()).toEqual({ as_of: null, error: null, tasks: [] });
    facts.rows = [row];
    await Promise.all([view.look(), view.look()]);
    expect(view.snapshot()).toMatchObject({ error: null, tasks: [{ task_id: "t", runtime_id: "r", agent_id: "a", reason: "not_asked_yet", queued_at: row.created_at }] });
    facts.failure = new Error("away");
    await view.look();
    expect(view.snapshot()).toMatchObject({ error: "away", tasks: [{ task_id: "t" }] });
    facts.failure = new RequestError("GET", "/x", 401, "invalid token");
    await view.look();
    expect(view.snapshot().error).toContain("multica login");
  });
});
