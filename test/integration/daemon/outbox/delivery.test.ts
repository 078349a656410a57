import { describe, expect, it } from "vitest";
import { flushTerminals } from "../../../../src/lib/daemon/outbox/flush.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import { openStateReader } from "../../../../src/lib/state/open.ts";
import { advanceUntil, testOutbox, texts } from "../../../support/outbox.ts";
import { reportServer } from "../../../support/report-server.ts";
import { waitFor } from "../../../support/wait.ts";

const seqs = (messages: readonly { seq: number }[]): number[] => messages.map((one) => one.seq);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const complete = (taskId: string, output = "done") => ({ kind: "complete" as const, taskId, body: { output } });

describe("a task's reports", () => {
  it("arrive in the order in which they were handed in, and leave nothing behind", async () => {
    const server = await reportServer();
    const { sink, outbox, state, task } = await testOutbox({ url: server.url });
    task("t1");
    await sink.messages("t1", [texts(1, 3)]);
    await sink.session("t1", { session_id: "s", work_dir: "/w" });
    await sink.messages("t1", [texts(4, 2)]);
    sink.intend(complete("t1"), [{ provider: "codex", model: "m", input_tokens: 1, output_tokens: 2, cache_read_tokens: 0, cache_write_tokens: 0 }]);
    expect(state.getTask("t1")).toMatchObject({ phase: "reporting", terminal_kind: "complete", next_seq: 6 });
    await sink.terminal(complete("t1", "really done"));
    await waitFor("the outbox to be empty", () => outbox.lanes.size === 0);
    expect(server.order("t1")).toEqual(["messages", "session", "messages", "usage", "complete"]);
    expect(server.task("t1").endings).toEqual([{ kind: "complete", body: { output: "really done" } }]);
    expect(state.getTask("t1")).toMatchObject({ phase: "done", acked_seq: 5 });
  });

  it("wait for a server that is away, and cost neither memory of attempts nor order (B13)", async () => {
    const server = await reportServer();
    await server.close();
    const { sink, outbox, clock, state, task } = await testOutbox({ url: server.url });
    task("t1");
    for (let batch = 0; batch < 30; batch += 1) {
      await sink.messages("t1", [texts(1 + batch * 10, 10)]);
      await clock.advance(30_000);
    }
    await sink.terminal(complete("t1"));
    expect(outbox.closed).toBe("away");
    await server.listen();
    await advanceUntil(clock, "everything to be delivered", () => outbox.lanes.size === 0);
    expect(seqs(server.task("t1").messages)).toEqual(upTo(300));
    expect(server.order("t1").at(-1)).toBe("complete");
    expect(state.getTask("t1")).toMatchObject({ phase: "done", next_seq: 301, acked_seq: 300 });
  });

  it("go on in the next process where the last one died (B10)", async () => {
    const server = await reportServer();
    const first = await testOutbox({ url: server.url, started: false });
    first.task("t1");
    await first.sink.messages("t1", [texts(1, 2)]);
    first.sink.intend(complete("t1"), []);
    first.die();
    const second = await testOutbox({ url: server.url, dir: first.dir });
    expect(second.state.getTask("t1")?.phase).toBe("reporting");
    await waitFor("the outbox to be empty", () => second.outbox.lanes.size === 0);
    expect(server.order("t1")).toEqual(["messages", "complete"]);
    expect(second.state.getTask("t1")?.phase).toBe("done");
  });

  it("that came late lose nothing to a dead process: what arrived is not sent again (B11)", async () => {
    const server = await reportServer();
    const first = await testOutbox({ url: server.url });
    first.task("t1");
    server.fate = (call) => (call.route === "messages" && call.method === "POST" ? "cut-after" : undefined);
    await first.sink.messages("t1", [texts(1, 7)]);
    await waitFor("the batch to arrive", () => server.task("t1").messages.length === 7);
    first.die();
    server.fate = () => undefined;
    const second = await testOutbox({ url: server.url, dir: first.dir, started: false });
    await second.sink.messages("t1", [texts(8, 2)]);
    second.outbox.start();
    await waitFor("the outbox to be empty", () => second.outbox.lanes.size === 0);
    expect(server.calls.some((call) => call.method === "GET" && call.route === "messages")).toBe(true);
    expect(seqs(server.task("t1").messages)).toEqual(upTo(9));
  });

  it("are completed when a server stored the first half of a batch and failed (B12)", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call, nth) => (call.route === "messages" && call.method === "POST" && nth === 1 ? { status: 500, after: 5 } : undefined);
    await sink.messages("t1", [texts(1, 10)]);
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(seqs(server.task("t1").messages)).toEqual(upTo(10));
  });

  it("are sent at most once to a server that does not show a task's messages", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call, nth) => {
      if (call.method === "GET" && call.route === "messages") return { status: 404, body: "404 page not found" };
      return call.route === "messages" && nth === 1 ? "cut-after" : undefined;
    };
    await sink.messages("t1", [texts(1, 3)]);
    await sink.messages("t1", [texts(4, 1)]);
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(seqs(server.task("t1").messages)).toEqual(upTo(4));
  });

  it("never make the server judge the same ending twice", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call) => (call.route === "complete" ? "cut-after" : undefined);
    await sink.terminal(complete("t1"));
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(server.task("t1").endings).toHaveLength(1);
  });
});

describe("batches that pile up", () => {
  it("ride together, and are asked for one by one when the answer does not come", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call, nth) => (call.route === "messages" && call.method === "POST" && nth <= 2 ? "cut-after" : undefined);
    for (let batch = 0; batch < 20; batch += 1) await sink.messages("t1", [texts(1 + batch * 10, 10)]);
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(seqs(server.task("t1").messages)).toEqual(upTo(200));
    expect(server.order("t1").length).toBeLessThan(10);
  });

  it("go alone when the server refuses them together, and only the wrong one is given up", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call) => (call.method === "POST" && JSON.stringify(call.body).includes("poison") ? { status: 400 } : undefined);
    for (let seq = 1; seq <= 6; seq += 1) await sink.messages("t1", [texts(seq, 1, seq === 4 ? "poison" : "fine")]);
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(seqs(server.task("t1").messages)).toEqual([1, 2, 3, 5, 6]);
  });
});

describe("answers that are no acknowledgement", () => {
  it("401 stops everything, counts as no attempt, and ends with an accepted token (B14)", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    let accepted = false;
    server.fate = () => (accepted ? undefined : { status: 401 });
    for (const id of ["t1", "t2"]) {
      task(id);
      await sink.messages(id, [texts(1, 2)]);
      await sink.terminal(complete(id));
    }
    await advanceUntil(clock, "the pause", () => outbox.closed === "auth");
    await clock.advance(300_000);
    expect([...outbox.lanes.values()].flatMap((lane) => lane.entries.map((entry) => entry.attempts))).toEqual([0, 0, 0, 0]);
    accepted = true;
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    for (const id of ["t1", "t2"]) expect([seqs(server.task(id).messages), server.task(id).status]).toEqual([[1, 2], "completed"]);
  });

  it("a deleted task empties its lane and no other (B15)", async () => {
    const server = await reportServer();
    const { sink, outbox, state, task } = await testOutbox({ url: server.url });
    server.fate = (call) => (call.id === "gone" ? { status: 404, body: { error: "task not found" } } : undefined);
    for (const id of ["gone", "t2"]) {
      task(id);
      await sink.messages(id, [texts(1, 1)]);
      await sink.terminal(complete(id));
    }
    await waitFor("the outbox to be empty", () => outbox.lanes.size === 0);
    expect(server.task("t2").status).toBe("completed");
    const reader = openStateReader({ stateDir: state.path.replace(/\/[^/]+$/, "") });
    expect(reader?.outboxSummary()).toMatchObject({ queued: 0, dead: 2 });
    expect(reader?.deadReports().map((dead) => [dead.lane, dead.kind, dead.last_status])).toEqual([["gone", "messages", 404], ["gone", "complete", 404]]);
    reader?.close();
  });

  it("a permanent refusal of `complete` becomes one `fail` with the reason and everything known (B16)", async () => {
    const server = await reportServer();
    const { sink, outbox, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call) => (call.route === "complete" ? { status: 400, body: { error: "no" } } : undefined);
    await sink.terminal({ kind: "complete", taskId: "t1", body: { output: "x", session_id: "s", branch_name: "b" } });
    await waitFor("the outbox to be empty", () => outbox.lanes.size === 0);
    expect(server.order("t1")).toEqual(["complete", "fail"]);
    expect(server.task("t1").endings).toMatchObject([{ kind: "fail", body: { session_id: "s", branch_name: "b", error: expect.stringContaining("complete task failed:") as string } }]);
  });

  it("413 halves a batch down to single messages and cuts the one that is still too large", async () => {
    const server = await reportServer();
    const { sink, outbox, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (call) => (call.method === "POST" && call.route === "messages" && JSON.stringify(call.body).length > 100_000 ? { status: 413 } : undefined);
    const large = { seq: 5, type: "text", content: "x".repeat(120_000) };
    await sink.messages("t1", [[...texts(1, 4), large, ...texts(6, 3)]]);
    await waitFor("the outbox to be empty", () => outbox.lanes.size === 0);
    expect(seqs(server.task("t1").messages)).toEqual(upTo(8));
    expect(server.task("t1").messages[4]?.content).toHaveLength(64 * 1024);
  });

  it("429 waits as long as the server asks", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (_call, nth) => (nth === 1 ? { status: 429, headers: { "retry-after": "90" } } : undefined);
    await sink.usage("t1", []);
    const took = await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(took).toBeGreaterThanOrEqual(90_000);
  });

  it.each([3_600_000, -3_600_000])("is tried again when it is time, though the wall clock is set by %i ms meanwhile", async (jump) => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    server.fate = (_call, nth) => (nth === 1 ? { status: 503 } : undefined);
    await sink.terminal(complete("t1"));
    await waitFor("the first attempt to fail", () => [...outbox.lanes.values()].some((lane) => lane.entries.some((entry) => entry.attempts === 1)));
    const before = clock.monotonic();
    clock.jump(jump);
    await clock.advance(1000);
    expect(server.task("t1").endings).toEqual([]);
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    expect(clock.monotonic() - before).toBeLessThan(60_000);
    expect(server.task("t1").status).toBe("completed");
  });
});

describe("what waits", () => {
  it("loses its oldest messages above the quota, counts them, and never loses a result (B17)", async () => {
    const server = await reportServer();
    await server.close();
    const { sink, outbox, state, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    const megabyte = "x".repeat(1024 * 1024);
    for (let seq = 1; seq <= 40; seq += 1) await sink.messages("t1", [[{ seq, type: "text", content: megabyte }]]);
    await sink.terminal(complete("t1"));
    const dropped = state.getTask("t1")?.dropped_batches ?? 0;
    expect(dropped).toBeGreaterThanOrEqual(24);
    await server.listen();
    await advanceUntil(clock, "the outbox to be empty", () => outbox.lanes.size === 0);
    const kept = seqs(server.task("t1").messages);
    // The first one was being sent when its turn to be dropped came.
    expect([kept.length, kept.slice(1)]).toEqual([40 - dropped, upTo(40).slice(dropped + 1)]);
    expect(server.task("t1").status).toBe("completed");
  });

  it("lets a result overtake a backlog on a slow link after a minute (B18)", async () => {
    const server = await reportServer();
    const { sink, outbox, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    // Each batch takes 20 s of the held clock.
    server.fate = async (call) => {
      if (call.route === "messages" && call.method === "POST") await clock.sleep(20_000);
      return undefined;
    };
    for (let batch = 0; batch < 100; batch += 1) await sink.messages("t1", [texts(1 + batch * 2, 2, "x".repeat(50_000))]);
    await sink.terminal(complete("t1"));
    const took = await advanceUntil(clock, "the result", () => server.task("t1").status === "completed");
    expect(took).toBeLessThanOrEqual(60_000 + 21_000);
    await advanceUntil(clock, "the rest", () => outbox.lanes.size === 0, { stepMs: 20_000 });
    expect(seqs(server.task("t1").messages)).toEqual(upTo(200));
  });

  it("lets the server know of orphans only after its results, however long those take (B19)", async () => {
    const server = await reportServer();
    const first = await testOutbox({ url: server.url, started: false });
    first.task("t1", "r1");
    first.task("t2", "r2");
    await first.sink.terminal(complete("t1"));
    first.die();
    const { outbox, clock } = await testOutbox({ url: server.url, dir: first.dir, clock: new HeldClock() });
    server.fate = async (call) => {
      if (call.route === "complete") await clock.sleep(20_000);
      return undefined;
    };
    expect(await flushTerminals(outbox, clock, (id) => id === "r2", 30_000)).toBe(true);
    let flushed: boolean | undefined;
    void flushTerminals(outbox, clock, (id) => id === "r1", 30_000).then((value) => (flushed = value));
    const took = await advanceUntil(clock, "the flush", () => flushed !== undefined);
    expect([flushed, server.task("t1").status]).toEqual([true, "completed"]);
    expect(took).toBeGreaterThanOrEqual(19_000);
  });

  it("is sent by four lanes at once, each one request at a time", async () => {
    const server = await reportServer();
    const { sink, outbox, task } = await testOutbox({ url: server.url });
    let open = 0;
    let most = 0;
    const perTask = new Map<string, number>();
    server.fate = async (call) => {
      if (call.method !== "POST") return undefined;
      open += 1;
      most = Math.max(most, open);
      const mine = (perTask.get(call.id) ?? 0) + 1;
      perTask.set(call.id, mine);
      expect(mine).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 10));
      perTask.set(call.id, 0);
      open -= 1;
      return undefined;
    };
    for (let n = 1; n <= 8; n += 1) {
      task(`t${n}`);
      for (let batch = 0; batch < 3; batch += 1) await sink.messages(`t${n}`, [texts(1 + batch, 1)]);
    }
    await waitFor("the outbox to be empty", () => outbox.lanes.size === 0);
    expect(most).toBe(4);
  });
});
