import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Db, HeldClock, openDatabase } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
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

type Transaction = (this: Db, fn: () => unknown) => unknown;

/** Sees every transaction, and may fail it, until the answer is called or the test ends. */
function watchTransactions(see: (db: Db) => void): () => void {
  const original = Reflect.get(Db.prototype, "transaction") as Transaction;
  Db.prototype.transaction = function <T>(this: Db, fn: () => T): T {
    return original.call(this, () => {
      const result = fn();
      see(this);
      return result;
    }) as T;
  };
  const stop = (): void => void (Db.prototype.transaction = original as Db["transaction"]);
  onTestFinished(stop);
  return stop;
}

/** The connection of the state file, caught where it writes. */
function connectionOf(write: () => void): Db {
  const found: Db[] = [];
  const stop = watchTransactions((db) => found.push(db));
  write();
  stop();
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

describe("a disk that fails", () => {
  it("keeps reports in memory, has the file opened anew after three failures, and writes what waited", async () => {
    const said: string[] = [];
    const { dir, sink, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false, logger: { ...silentLogger, error: (text) => void said.push(text) } });
    task("t1");
    let [tried, opened] = [0, 0];
    const reopen = Reflect.get(Db.prototype, "reopen") as (this: Db) => void;
    onTestFinished(() => void (Db.prototype.reopen = reopen));
    Db.prototype.reopen = function (this: Db): void {
      tried += 1;
      if (tried === 1) throw new Error("unable to open database file");
      opened += 1;
      reopen.call(this);
    };
    // As a connection whose descriptor is lost: it works again only when the file was opened anew.
    watchTransactions(() => {
      if (opened === 0) throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
    });
    await sink.messages("t1", [texts(1, 2)]);
    await sink.terminal(complete);
    expect([state.trouble, waitingIn(dir)]).toEqual(["io", 0]);
    await clock.advance(6000);
    expect([tried, state.trouble]).toEqual([0, "io"]);
    await clock.advance(2000);
    expect([tried, opened, state.trouble]).toEqual([1, 0, "io"]);
    await clock.advance(30_000);
    expect([tried, opened, state.trouble, waitingIn(dir)]).toEqual([2, 1, null, 2]);
    expect(said).toEqual([expect.stringContaining("reports are kept in memory")]);
  });
});

describe("messages of an agent that outlives the daemon", () => {
  const mark = { seq: 10, message: 1, held: 0 };

  it("wait for the file that says how far its log was read: a later daemon would send them again", async () => {
    const server = await reportServer();
    const { sink, state, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    task("t2");
    const mend = watchTransactions(() => {
      throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
    });
    await sink.messages("t1", [texts(1, 2)], mark);
    await sink.messages("t2", [texts(1, 2)]);
    await advanceUntil(clock, "the other task's messages", () => server.task("t2").messages.length === 2);
    await clock.advance(500);
    expect(server.task("t1").messages).toEqual([]);
    mend();
    await advanceUntil(clock, "the messages", () => server.task("t1").messages.length === 2);
    expect(state.getTask("t1")).toMatchObject({ log_seq: 10, next_seq: 3 });
  });

  it("are sent from memory all the same when the file stays away", async () => {
    const server = await reportServer();
    const { sink, state, clock, task } = await testOutbox({ url: server.url });
    task("t1");
    watchTransactions(() => {
      throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
    });
    await sink.messages("t1", [texts(1, 2)], mark);
    await sink.messages("t1", [texts(3, 1)], mark);
    const took = await advanceUntil(clock, "the messages", () => server.task("t1").messages.length === 3, { stepMs: 1000 });
    expect([took >= 29_000, state.trouble]).toEqual([true, "io"]);
  });
});

describe("what is written", () => {
  it("reaches the disk before the call returns when it says how a task ended or what it cost, and only then (B20)", async () => {
    const { sink, state, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
    const FULL = 2;
    const level = (write: () => unknown): unknown[] => {
      const seen: unknown[] = [];
      const stop = watchTransactions((db) => seen.push(db.scalar("PRAGMA synchronous")));
      write();
      stop();
      return seen;
    };
    expect(level(() => task("t1"))).toEqual([FULL]);
    expect(level(() => sink.messages("t1", [texts(1, 1)]))).toEqual([1]);
    expect(level(() => sink.session("t1", { session_id: "s", work_dir: "/w" }))).toEqual([1]);
    expect(level(() => sink.intend(complete, []))).toEqual([FULL]);
    expect(level(() => sink.usage("t1", []))).toEqual([FULL]);
    expect(level(() => sink.terminal({ ...complete, body: { output: "more" } }))).toEqual([FULL]);
    expect(level(() => state.setPhase("t1", "reporting"))).toEqual([1]);
  });

  it("is overwritten in the file when the server has it", async () => {
    const server = await reportServer();
    const { dir, sink, outbox, state, task } = await testOutbox({ url: server.url });
    task("t1");
    await sink.messages("t1", [texts(1, 1, "a very private word ".repeat(1000))]);
    await sink.terminal(complete);
    await advanceUntil(new HeldClock(), "the reports to be delivered", () => outbox.lanes.size === 0);
    state.close();
    const file = readFileSync(join(dir, "state_1.sqlite"), "latin1");
    expect([file.includes("outbox_log"), file.includes("a very private word")]).toEqual([true, false]);
  });
});

describe("a report that nobody takes", () => {
  it("is given up after a week when it is a result, and forgotten after another; what became of reports is a ring of a thousand", async () => {
    const { sink, outbox, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
    task("t1");
    await sink.messages("t1", [texts(1, 1)]);
    await sink.terminal(complete);
    const after = (days: number): unknown => {
      clock.jump(days * 86_400_000);
      const given = state.outbox.expire();
      const { queued, dead } = state.outboxSummary();
      return [given, queued, dead];
    };
    // Messages have no such end: only the quota and a deleted task do.
    expect([after(6.9), after(0.2), after(6.8), after(0.3)]).toEqual([[0, 2, 0], [1, 1, 1], [0, 1, 1], [0, 1, 0]]);
    const [first] = outbox.lanes.get("t1")?.entries ?? [];
    if (first === undefined) throw new Error("nothing waits");
    const db = openDatabase(state.path);
    db.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1010) INSERT INTO outbox_log (outbox_id, lane, kind, result, attempts, at_ms) SELECT i, 't0', 'messages', 'delivered', 0, 0 FROM n");
    const one = { ...first, id: null, gone: false };
    state.outbox.add([one]);
    state.outbox.remove(one, "withdrawn");
    expect(db.prepare("SELECT count(*) AS n, max(id) - min(id) AS span FROM outbox_log").get()).toEqual({ n: 1000, span: 999 });
    db.close();
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

  it("keeps the journal it was told to use", async () => {
    const { sink, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false, journalMode: "delete" });
    task("t1");
    rmSync(state.path);
    await sink.messages("t1", [texts(1, 3)]);
    expect(state.trouble).toBe("io");
    await clock.advance(45_000);
    expect(state.trouble).toBeNull();
    const db = openDatabase(state.path, { readOnly: true });
    expect([db.scalar("PRAGMA journal_mode"), db.scalar("SELECT count(*) FROM outbox")]).toEqual(["delete", 1]);
    db.close();
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
    // What one attempt may cost the daemon's only thread, and so its heartbeats.
    expect(connectionOf(() => task("t1")).scalar("PRAGMA busy_timeout")).toBe(250);
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

  it("are named when the log cannot be brought in for them, and only then (B25)", async () => {
    const warned: string[] = [];
    const { dir, sink, state, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false, logger: { ...silentLogger, warn: (text) => void warned.push(text) } });
    task("t1");
    const path = join(dir, "state_1.sqlite");
    const reader = openDatabase(path, { readOnly: true });
    reader.exec("BEGIN");
    reader.scalar("SELECT count(*) FROM task");
    const writer = openDatabase(path);
    writer.exec(`INSERT INTO meta (key, value) VALUES ('large', hex(zeroblob(${34 * 1024 * 1024})))`);
    writer.close();
    // The daemon's writes go on; five minutes later it looks at its log.
    await sink.messages("t1", [texts(1, 1)]);
    expect([state.trouble, waitingIn(dir)]).toEqual([null, 1]);
    await clock.advance(5 * 60_000);
    expect(warned).toEqual([expect.stringContaining("some process has been reading it for long")]);
    reader.exec("COMMIT");
    reader.close();
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(64 * 1024 * 1024);
    await clock.advance(5 * 60_000);
    expect(warned).toHaveLength(1);
  });
});
