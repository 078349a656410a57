import { describe, expect, it } from "vitest";
import { RequestError, isTaskNotFound } from "../../../../src/lib/api/index.ts";
import { askServer, watchCancellation } from "../../../../src/lib/daemon/task/cancellation.ts";
import { createReconcile } from "../../../../src/lib/daemon/reconcile.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";

type Answer = string | Error | "hang";

function start(first: Answer) {
  const clock = new HeldClock();
  const reconcile = createReconcile(clock, 1000);
  const state = { answer: first, asked: 0, over: [] as unknown[] };
  const probe = {
    clock,
    logger: silentLogger,
    isGone: isTaskNotFound,
    status: async (signal: AbortSignal): Promise<string> => {
      state.asked += 1;
      if (state.answer === "hang") await clock.sleep(3_600_000, signal);
      if (state.answer instanceof Error) throw state.answer;
      return state.answer;
    },
  };
  const watcher = watchCancellation({ probe, reconcile, onOver: (verdict) => void state.over.push(verdict) });
  return { clock, reconcile, state, watcher, probe };
}

describe("watchCancellation", () => {
  it.each(["completed", "failed", "cancelled"])("fires once when the task is %s (K-2, K-4)", async (answer) => {
    const { clock, state } = start(answer);
    await clock.advance(4999);
    expect(state.over).toEqual([]);
    await clock.advance(1);
    expect(state.over).toEqual([{ kind: "over", state: answer }]);
    await clock.advance(60_000);
    expect(state.asked).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("takes the 404 of a deleted task for an end, and no other error (K-3)", async () => {
    const { clock, state } = start(new RequestError("GET", "/x", 404, '{"error":"task not found"}'));
    await clock.advance(5000);
    expect(state.over).toEqual([{ kind: "gone" }]);
    for (const error of [new RequestError("GET", "/x", 404, "404 page not found"), new RequestError("GET", "/x", 500, "boom"), new Error("connect ECONNREFUSED")]) {
      const other = start(error);
      await other.clock.advance(60_000);
      expect(other.state.over).toEqual([]);
      expect(other.state.asked).toBe(12);
      other.watcher.stop();
    }
  });

  it.each(["dispatched", "running", "waiting_local_directory", "something_new"])("goes on while the task is %s", async (answer) => {
    const { clock, state, watcher } = start(answer);
    await clock.advance(30_000);
    expect(state.over).toEqual([]);
    watcher.stop();
    await clock.advance(30_000);
    expect(state.asked).toBe(6);
    expect(clock.pending).toBe(0);
  });

  it("asks at once when the socket was connected again (K-5), and asks on afterwards", async () => {
    const { clock, reconcile, state, watcher } = start("running");
    reconcile.broadcast();
    await clock.advance(0);
    expect(state.asked).toBe(1);
    await clock.advance(2000);
    state.answer = "cancelled";
    reconcile.broadcast();
    await clock.advance(0);
    expect(state.over).toEqual([{ kind: "over", state: "cancelled" }]);
    watcher.stop();
  });

  it("does not hang on a request that is never answered, and fires nothing after stop", async () => {
    const { clock, state, watcher } = start("hang");
    await clock.advance(5000 + 30_000);
    state.answer = "running";
    await clock.advance(5000);
    expect(state.asked).toBe(2);
    state.answer = "cancelled";
    watcher.stop();
    await clock.advance(10_000);
    expect(state.over).toEqual([]);
  });
});

describe("askServer", () => {
  it("calls an unreachable server unknown", async () => {
    const { probe, watcher } = start(new Error("fetch failed"));
    watcher.stop();
    expect(await askServer(probe)).toEqual({ kind: "unknown" });
  });
});
