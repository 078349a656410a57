import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Db, HeldClock, type ProcessIdentity, currentPid, identityAlive, openDatabase, processIdentity, systemClock } from "../../../src/lib/platform/index.ts";
import { type Logger, silentLogger } from "../../../src/lib/platform/logger.ts";
import type { NewTask, StateHandle } from "../../../src/lib/state/index.ts";
import { type OpenStateOptions, openState, openStateReader } from "../../../src/lib/state/open.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const worker = join(import.meta.dirname, "worker.ts");
const TASK: NewTask = { task_id: "t1", workspace_id: "w", runtime_id: "r", agent_id: "a", provider: "codex", issue_id: "i" };

function self(): ProcessIdentity {
  const identity = processIdentity(currentPid());
  if (identity === null) throw new Error("no identity");
  return identity;
}

async function opened(stateDir: string, patch: Partial<OpenStateOptions> = {}): Promise<StateHandle> {
  const state = await openState({ stateDir, version: "1.0.0", clock: systemClock, logger: silentLogger, ...patch });
  onTestFinished(() => state.close());
  return state;
}

async function holder(stateDir: string): Promise<{ child: ChildProcess; runId: string; pid: number }> {
  const child = spawn(process.execPath, [worker, "hold", stateDir], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  await waitFor("the lease to be held", () => out.includes("\n"));
  return { child, ...(JSON.parse(out) as { runId: string; pid: number }) };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await gone;
}

describe("the one daemon of a state directory", () => {
  it("is refused beside a living one, naming its pid and port, and takes over at once when that is killed [B4]", async () => {
    const dir = tempDir();
    const first = await holder(dir);
    const state = await opened(dir);
    await expect(state.beginRun({ identity: self(), port: 1 })).rejects.toMatchObject({
      code: "daemon_running",
      exit: 7,
      details: { pid: first.pid, port: 4711 },
      message: expect.stringContaining(`pid ${first.pid}, port 4711`) as string,
    });
    await killed(first.child);
    const run = await state.beginRun({ identity: self(), port: 1 });
    expect(run).toMatchObject({ epoch: 2, crashed: true });
    expect(state.listRuns()).toMatchObject([
      { run_id: run.runId, epoch: 2, stop_reason: null },
      { run_id: first.runId, epoch: 1, stop_reason: "crash" },
    ]);
  });

  it("takes over from a holder whose pid belongs to another program by now [B6]", async () => {
    const dir = tempDir();
    const state = await opened(dir);
    const stranger = await opened(dir);
    await stranger.beginRun({ identity: { ...self(), startKey: "1" }, port: 1 });
    expect(await state.beginRun({ identity: self(), port: 2 })).toMatchObject({ epoch: 2, crashed: true });
  });

  it("takes over from a zombie [B5]", async () => {
    const dir = tempDir();
    // A parent that never reaps: its child is a zombie for as long as it lives.
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    let out = "";
    parent.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    await waitFor("the pid", () => out.includes("\n"));
    const identity = processIdentity(Number(out));
    if (identity === null) throw new Error("the child ended too early");
    const zombie = await opened(dir);
    await zombie.beginRun({ identity, port: 1 });
    await waitFor("the child to become a zombie", () => !identityAlive(identity));
    const state = await opened(dir);
    expect((await state.beginRun({ identity: self(), port: 2 })).crashed).toBe(true);
  });

  it("gives its place back at the end, and a clean end is no crash", async () => {
    const dir = tempDir();
    const first = await opened(dir);
    const run = await first.beginRun({ identity: self(), port: 1 });
    first.markReady();
    first.endRun("clean");
    const second = await opened(dir);
    expect(await second.beginRun({ identity: self(), port: 2 })).toMatchObject({ epoch: 2, crashed: false });
    const past = second.listRuns().find((item) => item.run_id === run.runId);
    expect(past).toMatchObject({ stop_reason: "clean" });
    expect(past?.ready_at_ms).not.toBeNull();
  });

  it("renews its lease every ten seconds and hears when it has lost it", async () => {
    const clock = new HeldClock();
    const dir = tempDir();
    let lost = 0;
    const state = await opened(dir, { clock, onLeaseLost: () => (lost += 1) });
    await state.beginRun({ identity: self(), port: 1 });
    const db = openDatabase(state.path);
    const age = (): number => clock.now() - Number(db.scalar("SELECT renewed_at_ms FROM lease WHERE name = 'daemon'"));
    await clock.advance(9_000);
    expect(age()).toBe(9_000);
    await clock.advance(2_000);
    expect(age()).toBe(1_000);
    db.exec("UPDATE lease SET holder = 'somebody else'");
    await clock.advance(60_000);
    expect(lost).toBe(1);
    db.close();
  });
});

describe("a check of the file", () => {
  it("is remembered: the one of the start, and each later one", async () => {
    const clock = new HeldClock();
    const state = await opened(tempDir(), { clock });
    expect(state.facts().last_check).toBeNull();
    await state.beginRun({ identity: self(), port: 1 });
    expect(state.facts().last_check).toEqual({ at_ms: clock.now(), result: "ok" });
    await clock.advance(5000);
    state.noteCheck([{ code: "lease", detail: "nobody holds it" }, { code: "orphan", detail: "one more" }]);
    expect(state.facts().last_check).toEqual({ at_ms: clock.now(), result: "nobody holds it (and 1 more)" });
  });
});

describe("a failure that no mode is made for", () => {
  it("does not end the daemon when the renewal of its lease meets it", async () => {
    const said: string[] = [];
    const clock = new HeldClock();
    const state = await opened(tempDir(), { clock, logger: { ...silentLogger, error: (text) => void said.push(text) } });
    await state.beginRun({ identity: self(), port: 1 });
    const db = openDatabase(state.path);
    db.exec("DROP TABLE lease");
    db.close();
    await clock.advance(11_000);
    expect(said).toEqual(["the lease of the state database cannot be renewed"]);
  });
});

const DAY = 86_400_000;

/** Without what happens every few seconds: two weeks pass in a moment. */
class DaysOnly extends HeldClock {
  override every(ms: number, fn: () => void): () => void {
    return ms < DAY ? () => undefined : super.every(ms, fn);
  }
}

describe("what is too old", () => {
  it("is forgotten in pieces until nothing of it is left, however much a day brings; the last fifty runs stay", async () => {
    const clock = new DaysOnly();
    const state = await opened(tempDir(), { clock });
    const gone = join(tempDir(), "no-such-directory");
    await state.beginRun({ identity: self(), port: 1 });
    const db = openDatabase(state.path);
    onTestFinished(() => db.close());
    db.transaction(() => {
      const insert = db.prepare("INSERT INTO task (task_id, workspace_id, runtime_id, agent_id, provider, phase, run_id, claimed_at_ms) SELECT :id, 'w', 'r', 'a', 'codex', 'lost', run_id, 0 FROM daemon_run");
      for (let n = 0; n < 1200; n += 1) insert.run({ id: `old ${n}` });
      const run = db.prepare("INSERT INTO daemon_run (run_id, epoch, pid, start_key, boot_id, version, port, started_at_ms, stopped_at_ms, stop_reason) VALUES (:id, :epoch, 1, '', '', '', 1, 0, 0, 'clean')");
      const root = db.prepare("INSERT INTO env_root (path, kind, workspace_id, task_short_id, agent_id, provider, work_dir, created_at_ms, last_used_at_ms) VALUES (:path, 'managed', 'w', 's', 'a', 'codex', '', 0, :used)");
      for (let n = 0; n < 600; n += 1) root.run({ path: n < 599 ? `${gone}/${n}` : dirname(state.path), used: n });
      for (let epoch = 2; epoch <= 70; epoch += 1) run.run({ id: `run ${epoch}`, epoch });
    });
    await clock.advance(15 * DAY);
    expect([state.listTasks(), state.listRuns(100).length, state.listRuns(100).at(-1)?.epoch]).toEqual([[], 50, 21]);
    expect(state.facts().environments).toEqual({ known: 1, in_use: 0 });
  });
});

describe("tasks of earlier runs", () => {
  it("are found with their agents' identity, ended, and lost", async () => {
    const dir = tempDir();
    const first = await holder(dir);
    await killed(first.child);
    const state = await opened(dir);
    await state.beginRun({ identity: self(), port: 1 });
    expect(state.leftoverAgents()).toEqual([{ taskId: "t1", identity: null, envRoot: null }]);
    expect(state.markLost().map((task) => [task.task_id, task.phase])).toEqual([["t1", "running"]]);
    expect(state.getTask("t1")).toMatchObject({ phase: "lost", run_id: first.runId });
    expect(state.leftoverAgents()).toEqual([]);
    expect(state.markLost()).toEqual([]);
  });

  it("name the agent process that was written down, until it is proved gone", async () => {
    const dir = tempDir();
    const first = await opened(dir);
    await first.beginRun({ identity: { ...self(), startKey: "1" }, port: 1 });
    for (const phase of ["claimed", "preparing", "waiting_local_directory", "running", "reporting", "done", "lost"] as const) {
      first.insertTask({ ...TASK, task_id: phase, phase, env_root: `/env/${phase}` });
      first.updateTask(phase, { agent_pid: 42, agent_start_key: "7", agent_boot_id: "b", agent_pgid: 42 });
    }
    const state = await opened(dir);
    await state.beginRun({ identity: self(), port: 2 });
    state.insertTask({ ...TASK, task_id: "own", phase: "running" });
    expect(state.leftoverAgents().map((item) => item.taskId).sort()).toEqual(["done", "preparing", "reporting", "running"]);
    expect(state.leftoverAgents()[0]).toMatchObject({ identity: { pid: 42, startKey: "7", bootId: "b" } });
    state.markLost();
    expect(state.listTasks({ phase: "lost" })).toHaveLength(6);
    expect(state.getTask("own")?.phase).toBe("running");
  });
});

describe("task rows", () => {
  async function begun(): Promise<StateHandle> {
    const state = await opened(tempDir());
    await state.beginRun({ identity: self(), port: 1 });
    return state;
  }

  it("go from claim to end with their times", async () => {
    const state = await begun();
    state.insertTask(TASK);
    expect(state.getTask("t1")).toMatchObject({ ...TASK, phase: "claimed", next_seq: 1, acked_seq: 0, chat_session_id: null, terminal_kind: null });
    state.setPhase("t1", "preparing");
    state.updateTask("t1", { env_root: "/env", work_dir: "/env/workdir" });
    state.setPhase("t1", "running");
    state.updateTask("t1", { session_id: "s", terminal_kind: "complete" });
    state.setPhase("t1", "done");
    const row = state.getTask("t1");
    expect(row).toMatchObject({ phase: "done", env_root: "/env", session_id: "s", terminal_kind: "complete" });
    expect([typeof row?.started_at_ms, typeof row?.ended_at_ms]).toEqual(["number", "number"]);
    expect(state.getTask("t2")).toBeNull();
  });

  it("start over when the same task is delivered again", async () => {
    const state = await begun();
    state.insertTask({ ...TASK, session_id: "old", error: "x" });
    state.setPhase("t1", "running");
    state.insertTask(TASK);
    expect(state.getTask("t1")).toMatchObject({ phase: "claimed", session_id: null, started_at_ms: null, error: null });
    expect(state.listTasks()).toHaveLength(1);
  });

  it("refuse unknown columns and values out of range", async () => {
    const state = await begun();
    state.insertTask(TASK);
    expect(() => state.updateTask("t1", { "phase = 'done' --": 1 } as never)).toThrow("not a column");
    expect(() => state.setPhase("t1", "flying" as never)).toThrow();
    expect(state.getTask("t1")?.phase).toBe("claimed");
  });

  it("can be read by another process while the daemon writes", async () => {
    const dir = tempDir();
    const state = await opened(dir);
    await state.beginRun({ identity: self(), port: 1 });
    const reader = openStateReader({ stateDir: dir });
    onTestFinished(() => reader?.close());
    state.insertTask(TASK);
    expect(reader?.getTask("t1")?.phase).toBe("claimed");
    state.setPhase("t1", "running");
    expect(reader?.listTasks({ phase: "running" })).toHaveLength(1);
    expect(reader?.instanceId).toBe(state.instanceId);
    expect(reader?.listRuns()).toHaveLength(1);
  });

  it("are forgotten two weeks after their end", async () => {
    const clock = new HeldClock();
    const dir = tempDir();
    const first = await opened(dir, { clock });
    await first.beginRun({ identity: self(), port: 1 });
    for (const [id, phase] of [["old", "done"], ["open", "claimed"]] as const) {
      first.insertTask({ ...TASK, task_id: id });
      first.setPhase(id, phase);
    }
    first.endRun("clean");
    first.close();
    await clock.advance(15 * 86_400_000);
    const second = await opened(dir, { clock });
    await second.beginRun({ identity: self(), port: 1 });
    expect(second.listTasks().map((task) => task.task_id)).toEqual(["open"]);
  });
});

describe("a file that another process has locked", () => {
  async function locked(clock: HeldClock | typeof systemClock, logger: Logger = silentLogger) {
    const state = await opened(tempDir(), { clock, logger });
    await state.beginRun({ identity: self(), port: 1 });
    state.insertTask(TASK);
    const other = openDatabase(state.path);
    other.exec("BEGIN IMMEDIATE");
    onTestFinished(() => other.close());
    return { state, other };
  }

  it("never holds a writer up for long; the writes follow in order when it is free", async () => {
    const { state, other } = await locked(systemClock);
    const started = performance.now();
    state.setPhase("t1", "preparing");
    expect(performance.now() - started).toBeLessThan(1500);
    const again = performance.now();
    state.setPhase("t1", "running");
    state.updateTask("t1", { session_id: "s" });
    expect(performance.now() - again).toBeLessThan(50);
    const reader = openStateReader({ stateDir: join(state.path, "..") });
    expect(reader?.getTask("t1")?.phase).toBe("claimed");
    other.exec("COMMIT");
    await waitFor("the writes", () => reader?.getTask("t1")?.session_id === "s");
    expect(reader?.getTask("t1")?.phase).toBe("running");
    reader?.close();
  });

  it("lets a reader of the same handle see its own writes as soon as it is free", async () => {
    const { state, other } = await locked(systemClock);
    state.setPhase("t1", "preparing");
    other.exec("COMMIT");
    expect(state.getTask("t1")?.phase).toBe("preparing");
  });

  it("does not swallow the writes at the end", async () => {
    const { state, other } = await locked(new HeldClock());
    state.setPhase("t1", "done");
    other.exec("COMMIT");
    state.endRun("clean");
    state.close();
    const reader = openStateReader({ stateDir: join(state.path, "..") });
    expect(reader?.getTask("t1")?.phase).toBe("done");
    expect(reader?.listRuns()[0]?.stop_reason).toBe("clean");
    reader?.close();
  });

  it("says so after a while", async () => {
    const warnings: string[] = [];
    const clock = new HeldClock();
    const { state, other } = await locked(clock, { ...silentLogger, warn: (message) => void warnings.push(message) });
    other.exec("COMMIT");
    const { transaction } = Db.prototype;
    onTestFinished(() => void (Db.prototype.transaction = transaction));
    // Locked, but told at once: twenty real waits of a quarter of a second say nothing more.
    Db.prototype.transaction = () => {
      throw Object.assign(new Error("database is locked"), { errcode: 5 });
    };
    state.setPhase("t1", "done");
    await clock.advance(10_000);
    expect(warnings).toEqual([]);
    await clock.advance(10_000);
    expect(warnings).toContain("the state database has been locked for long");
  });
});
