import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Db, openDatabase } from "../../../src/lib/platform/index.ts";
import { openStateReader } from "../../../src/lib/state/open.ts";
import { advanceUntil, testOutbox, texts } from "../../support/outbox.ts";
import { reportServer } from "../../support/report-server.ts";

const complete = { kind: "complete" as const, taskId: "t1", body: { output: "done" } };

function waitingIn(stateDir: string): number {
  const reader = openStateReader({ stateDir });
  const { queued = 0, inflight = 0, ambiguous = 0 } = reader?.outboxSummary() ?? {};
  reader?.close();
  return queued + inflight + ambiguous;
}

/** The connection of the state file, caught where it writes. */
function connectionOf(write: () => void): Db {
  const found: Db[] = [];
  const original = Reflect.get(Db.prototype, "transaction") as (this: Db, fn: () => unknown) => unknown;
  Db.prototype.transaction = function <T>(this: Db, fn: () => T): T {
    found.push(this);
    return original.call(this, fn) as T;
  };
  write();
  Db.prototype.transaction = original as Db["transaction"];
  const [db] = found;
  if (db === undefined) throw new Error("nothing was written");
  return db;
}

describe("a disk that is full (B22)", () => {
  it("keeps reports in memory, delivers them from there, and is written again when there is room", async () => {
    const server = await reportServer();
    await server.close();
    const { dir, sink, outbox, state, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    const db = connectionOf(() => state.updateTask("t1", { work_dir: "/w" }));
    await sink.messages("t1", [texts(1, 3)]);
    expect(waitingIn(dir)).toBe(1);
    db.exec(`PRAGMA max_page_count=${String(db.scalar("PRAGMA page_count"))}`);
    for (let seq = 4; seq <= 40; seq += 1) await sink.messages("t1", [texts(seq, 1, "x".repeat(4000))]);
    await sink.terminal(complete);
    expect(state.trouble).toBe("full");
    expect(outbox.lanes.get("t1")?.entries.length).toBe(39);
    await server.listen();
    await advanceUntil(clock, "everything to be delivered from memory", () => outbox.lanes.size === 0);
    expect(server.task("t1").messages.map((one) => one.seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(server.task("t1").status).toBe("completed");
    db.exec("PRAGMA max_page_count=4294967294");
    await advanceUntil(clock, "the file to be written again", () => state.trouble === null && state.getTask("t1")?.phase === "done", { limitMs: 60_000 });
    expect(waitingIn(dir)).toBe(0);
  });
});

describe("a state file that disappears while the daemon runs (B23)", () => {
  it("is written anew within half a minute, with the live task and its queue", async () => {
    const { dir, sink, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
    task("t1");
    await sink.messages("t1", [texts(1, 3)]);
    for (const name of readdirSync(dir)) if (name.startsWith("state_1.sqlite")) rmSync(join(dir, name));
    await sink.terminal(complete);
    await clock.advance(30_000);
    expect(waitingIn(dir)).toBe(2);
    expect(statSync(state.path).mode & 0o777).toBe(0o600);
    await sink.messages("t1", [texts(4, 1)]);
    expect(waitingIn(dir)).toBe(3);
    expect(state.getTask("t1")).toMatchObject({ phase: "reporting", terminal_kind: "complete" });
  });

  it("takes its place back from another file, which is kept", async () => {
    const { dir, sink, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
    task("t1");
    await sink.messages("t1", [texts(1, 3)]);
    rmSync(state.path);
    writeFileSync(state.path, "something else");
    await clock.advance(30_000);
    expect(waitingIn(dir)).toBe(1);
    expect(readdirSync(dir).some((name) => name.includes(".replaced-"))).toBe(true);
  });
});

describe("a reader that stays, and a writer that holds the lock", () => {
  it("do not keep the daemon from writing, or it writes as soon as it can (B25, B26)", async () => {
    const { dir, sink, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
    task("t1");
    const reader = openDatabase(join(dir, "state_1.sqlite"), { readOnly: true });
    reader.exec("BEGIN");
    reader.scalar("SELECT count(*) FROM task");
    await sink.messages("t1", [texts(1, 3)]);
    expect(waitingIn(dir)).toBe(1);
    reader.exec("COMMIT");
    reader.close();
    const writer = openDatabase(join(dir, "state_1.sqlite"));
    writer.exec("BEGIN IMMEDIATE");
    const begin = performance.now();
    for (let seq = 4; seq <= 23; seq += 1) await sink.messages("t1", [texts(seq, 1)]);
    // One attempt waits a quarter of a second; what comes after it waits behind it and not once each.
    expect(performance.now() - begin).toBeLessThan(1000);
    expect(state.trouble).toBe("busy");
    writer.exec("COMMIT");
    writer.close();
    await advanceUntil(clock, "the file to be written", () => state.trouble === null, { stepMs: 100, limitMs: 10_000 });
    expect(waitingIn(dir)).toBe(21);
  });
});
