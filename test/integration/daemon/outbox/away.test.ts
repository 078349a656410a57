import { describe, expect, it, onTestFinished } from "vitest";
import type { DaemonContext } from "../../../../src/lib/daemon/context.ts";
import { createOutboxSink } from "../../../../src/lib/daemon/outbox/sink.ts";
import { Db, HeldClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import type { Task } from "../../../../src/lib/wire/index.ts";
import { configFor, testDaemon, testHome } from "../../../support/daemon.ts";
import { type FakeServer, fakeServer } from "../../../support/fake-server.ts";
import { advanceUntil, texts } from "../../../support/outbox.ts";

const MINUTE = 60_000;
const IDS = ["t1", "t2", "t3", "t4", "t5"];

/** Claims are answered with five tasks, once; endings and orphan recovery are remembered in their order. */
function giveTasks(server: FakeServer): string[] {
  const wire: string[] = [];
  let given = false;
  server.routes.set("POST /api/daemon/tasks/claim", () => {
    if (given) return { body: { tasks: [] } };
    given = true;
    return { body: { tasks: IDS.map((id) => ({ id, agent_id: "a", runtime_id: "w1-codex", workspace_id: "w1", status: "dispatched" })) } };
  });
  server.routes.set("GET /api/me", { body: { id: "u", name: "Ada", email: "ada@local" } });
  server.routes.set("POST /api/daemon/runtimes/*", ({ path }) => {
    if (path.endsWith("recover-orphans")) wire.push("recover-orphans");
    return { body: { orphaned: 0, retried: 0 } };
  });
  server.routes.set("POST /api/daemon/tasks/*", ({ path, body }) => {
    const [, , , , id = "", what = ""] = path.split("/");
    const { messages = [null] } = body as { messages?: unknown[] };
    for (const _one of messages) wire.push(`${id} ${what}`);
    return { body: { id, agent_id: "a", workspace_id: "w1", status: "completed" } };
  });
  server.routes.set("GET /api/daemon/tasks/*", ({ path }) => ({ body: path.includes("/messages") ? [] : { status: "running" } }));
  return wire;
}

/** Task n works for n times ten minutes, says something every minute, and finishes. */
async function work(ctx: DaemonContext, task: Task): Promise<void> {
  if (ctx.outbox === null) throw new Error("no outbox");
  const sink = createOutboxSink(ctx.outbox, { api: ctx.api, clock: ctx.clock, logger: silentLogger });
  const minutes = 10 * Number(task.id.slice(1));
  for (let seq = 1; seq <= minutes; seq += 1) {
    await ctx.clock.sleep(MINUTE);
    await sink.messages(task.id, [texts(seq, 1)]);
  }
  const report = { kind: "complete" as const, taskId: task.id, body: { output: "done" } };
  sink.intend(report, []);
  await sink.terminal(report);
}

const endings = (wire: readonly string[]): string[] => wire.filter((line) => line.endsWith("complete") || line === "recover-orphans");

describe("a server that is away for an hour while five tasks finish", () => {
  it("gets all five results in order when it is back, before it hears of orphans", async () => {
    const server = await fakeServer({ newer: true });
    const wire = giveTasks(server);
    const home = testHome();
    const clock = new HeldClock();
    const config = configFor(home, { url: server.url, token: "mul_x" });
    let finished = 0;
    const daemon = await testDaemon(home, config, {
      noState: false,
      clock,
      runTask: async (ctx, task) => {
        await work(ctx, task);
        finished += 1;
      },
    });
    await advanceUntil(clock, "the claim", () => server.seen("POST /api/daemon/tasks/claim").length > 0);
    const port = Number(new URL(server.url).port);
    await server.stop();
    const gone = clock.monotonic();
    await advanceUntil(clock, "all tasks to finish", () => finished === 5, { stepMs: 15_000 });
    await advanceUntil(clock, "the hour to be over", () => clock.monotonic() - gone >= 60 * MINUTE, { stepMs: 15_000 });
    expect(endings(wire)).toEqual(["recover-orphans"]);
    expect((await daemon.health())["outbox"]).toMatchObject({ results: 5, tasks: 5, paused: "away" });
    wire.length = 0;
    // While it was away it has forgotten the runtime: the daemon registers anew, and that is when it would speak of orphans.
    const unknown = { status: 404, body: { error: "runtime not found" } };
    let forgotten = true;
    server.routes.set("POST /api/daemon/heartbeat", () => (forgotten ? unknown : { body: { status: "ok" } }));
    server.routes.set("POST /api/daemon/register", () => {
      forgotten = false;
      const row = { id: "w1-codex-again", name: "Codex", provider: "codex", status: "online", profile_id: null };
      return { body: { runtimes: [row], repos: [], repos_version: "" } };
    });
    await server.listen(port);
    await advanceUntil(clock, "the results and the recovery", () => endings(wire).length === 6, { stepMs: 1000 });
    expect(endings(wire)).toEqual([...IDS.map((id) => `${id} complete`), "recover-orphans"]);
    for (const id of IDS) expect(wire.filter((line) => line === `${id} messages`)).toHaveLength(10 * Number(id.slice(1)));
    expect(wire.indexOf("t1 complete")).toBeGreaterThan(wire.lastIndexOf("t1 messages"));
  });

  it("gets them from the next daemon too, before it hears of orphans", async () => {
    const server = await fakeServer({ newer: true });
    const wire = giveTasks(server);
    const home = testHome();
    const config = configFor(home, { url: server.url, token: "mul_x" });
    const clock = new HeldClock();
    let finished = 0;
    const first = await testDaemon(home, config, {
      noState: false,
      clock,
      runTask: async (ctx, task) => {
        await work(ctx, task);
        finished += 1;
      },
    });
    await advanceUntil(clock, "the claim", () => server.seen("POST /api/daemon/tasks/claim").length > 0);
    const port = Number(new URL(server.url).port);
    await server.stop();
    await advanceUntil(clock, "all tasks to finish", () => finished === 5, { stepMs: 15_000 });
    let stopped = false;
    void first.stop().then(() => (stopped = true));
    await advanceUntil(clock, "the daemon to stop", () => stopped);
    wire.length = 0;
    await server.listen(port);
    let ready = false;
    const second = testDaemon(home, config, { noState: false, clock }).then((daemon) => ((ready = true), daemon));
    await advanceUntil(clock, "the next daemon", () => ready);
    expect(endings(wire)).toEqual([...IDS.map((id) => `${id} complete`), "recover-orphans"]);
    expect((await (await second).health())["outbox"]).toMatchObject({ waiting: 0 });
  });
});

describe("a disk that is full while the daemon runs", () => {
  it("brings no new tasks until there is room again, and the daemon says so [B22]", async () => {
    const server = await fakeServer({ newer: true });
    const home = testHome();
    const clock = new HeldClock();
    const daemon = await testDaemon(home, configFor(home, { url: server.url, token: "mul_x" }), { noState: false, clock });
    const claims = (): number => server.seen("POST /api/daemon/tasks/claim").length + server.seen("POST /api/daemon/runtimes").filter((line) => line.endsWith("/tasks/claim")).length;
    await advanceUntil(clock, "a claim", () => claims() > 0);
    const { transaction } = Db.prototype;
    let full = true;
    onTestFinished(() => void (Db.prototype.transaction = transaction));
    Db.prototype.transaction = function <T>(this: Db, fn: () => T): T {
      if (full && this.path.endsWith("state_1.sqlite")) throw Object.assign(new Error("database or disk is full"), { errcode: 13 });
      return transaction.call(this, fn as () => unknown) as T;
    };
    // The lease is written every ten seconds.
    await clock.advance(15_000);
    expect((await daemon.health())["state"]).toBe("full");
    const [before, since] = [claims(), clock.monotonic()];
    await advanceUntil(clock, "some polls without a claim", () => clock.monotonic() - since > 5 * MINUTE, { stepMs: 5000 });
    expect(claims()).toBe(before);
    full = false;
    await advanceUntil(clock, "claims again", () => claims() > before, { stepMs: 5000 });
    expect((await daemon.health())["state"]).toBe("ok");
  });
});
