import { describe, expect, it, onTestFinished } from "vitest";
import { HeldClock, currentPid, openDatabase, processIdentity } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { StateHandle } from "../../../src/lib/state/index.ts";
import { openState } from "../../../src/lib/state/open.ts";
import { knownRoots, noteRemoved, prunePlaces } from "../../../src/lib/state/places.ts";
import { tempDir } from "../../support/temp.ts";

const DAY = 86_400_000;

async function begun(stateDir = tempDir(), clock = new HeldClock()): Promise<{ state: StateHandle; clock: HeldClock; stateDir: string; rows: (table: "env_root" | "session") => unknown[] }> {
  const state = await openState({ stateDir, version: "1.0.0", clock, logger: silentLogger });
  onTestFinished(() => state.close());
  const identity = processIdentity(currentPid());
  if (identity === null) throw new Error("no identity");
  await state.beginRun({ identity, port: 1 });
  const rows = (table: "env_root" | "session"): unknown[] => {
    const db = openDatabase(state.path, { readOnly: true });
    try {
      return db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all();
    } finally {
      db.close();
    }
  };
  return { state, clock, stateDir, rows };
}

function task(state: StateHandle, id: string, prior: string | null = null): void {
  state.insertTask({ task_id: id, workspace_id: "w", runtime_id: "r", agent_id: "a", issue_id: "i", provider: "codex", prior_session_id: prior });
}

describe("rows of environments and sessions", () => {
  it("follow the task they belong to, and outlive it", async () => {
    const { state, rows } = await begun();
    task(state, "t1");
    state.updateTask("t1", { env_root: "/roots/w/abcd1234", work_dir: "/roots/w/abcd1234/workdir" });
    expect(rows("env_root")).toMatchObject([
      { path: "/roots/w/abcd1234", kind: "managed", task_short_id: "abcd1234", issue_id: "i", provider: "codex", codex_home: "/roots/w/abcd1234/codex-home", in_use_task_id: "t1", removed_at_ms: null },
    ]);
    expect(state.facts().environments).toEqual({ known: 1, in_use: 1 });
    state.updateTask("t1", { session_id: "s1" });
    state.updateTask("t1", { ended_at_ms: 5, agent_pid: null });
    expect(state.facts()).toMatchObject({ environments: { known: 1, in_use: 0 }, sessions: 1 });
    // The next task of the conversation works in the same place, and begins a new session.
    task(state, "t2", "s1");
    state.updateTask("t2", { env_root: "/roots/w/abcd1234", work_dir: "/home/me/project" });
    state.updateTask("t2", { session_id: "s2" });
    expect(rows("env_root")).toMatchObject([{ kind: "local_directory", in_use_task_id: "t2" }]);
    expect(rows("session")).toMatchObject([
      { session_id: "s1", first_task_id: "t1", last_task_id: "t1", env_root: "/roots/w/abcd1234", retired_reason: "replaced" },
      { session_id: "s2", first_task_id: "t2", retired_reason: null },
    ]);
  });

  it("keep what became known of a session, until it is used again", async () => {
    const { state, rows } = await begun();
    const s1 = { provider: "codex", id: "s1" };
    state.describeSession(s1, { rolloutPath: "/nobody/named/it" });
    expect(rows("session")).toEqual([]);
    task(state, "t1");
    state.updateTask("t1", { session_id: "s1" });
    state.describeSession(s1, { rolloutPath: "/home/me/.codex/sessions/r.jsonl" });
    state.describeSession(s1, { poisoned: true, retired: "resume_failed" });
    expect(rows("session")).toMatchObject([{ rollout_path: "/home/me/.codex/sessions/r.jsonl", poisoned: 1, retired_reason: "resume_failed" }]);
    task(state, "t2", "s1");
    state.updateTask("t2", { session_id: "s1" });
    expect(rows("session")).toMatchObject([{ rollout_path: "/home/me/.codex/sessions/r.jsonl", poisoned: 0, retired_reason: null, last_task_id: "t2" }]);
  });

  it("say that nothing is in use after a crash", async () => {
    const first = await begun();
    task(first.state, "t1");
    first.state.updateTask("t1", { env_root: "/roots/w/r", work_dir: "/roots/w/r/workdir" });
    first.state.close();
    const second = await begun(first.stateDir, first.clock);
    expect(second.state.facts().environments).toEqual({ known: 1, in_use: 1 });
    second.state.markLost();
    expect(second.state.facts().environments).toEqual({ known: 1, in_use: 0 });
  });

  it("are forgotten: a week after the directory has gone, three months after the session was used last", async () => {
    const { state, clock, rows } = await begun();
    for (const [id, root] of [["t1", "/kept"], ["t2", "/gone"]] as const) {
      task(state, id);
      state.updateTask(id, { env_root: root, work_dir: `${root}/workdir` });
      state.updateTask(id, { session_id: `session of ${id}` });
      state.updateTask(id, { agent_pid: null });
    }
    task(state, "t3");
    state.updateTask("t3", { env_root: "/in-use", work_dir: "/in-use/workdir" });
    const db = openDatabase(state.path);
    onTestFinished(() => db.close());
    // The day's clean-up, on some days.
    const onDay = (day: number, removed: readonly string[] = []): void => db.transaction(() => {
      noteRemoved(db, removed, clock.now() + day * DAY);
      prunePlaces(db, clock.now() + day * DAY);
    });
    expect(knownRoots(db)).toEqual(["/gone", "/kept"]);
    onDay(1, ["/gone", "/in-use"]);
    expect(knownRoots(db)).toEqual(["/kept"]);
    onDay(7);
    expect(rows("env_root")).toHaveLength(3);
    onDay(9);
    expect(rows("env_root")).toMatchObject([{ path: "/in-use", removed_at_ms: null }, { path: "/kept" }]);
    onDay(89);
    expect(rows("session")).toHaveLength(2);
    onDay(91);
    expect(rows("session")).toMatchObject([{ session_id: "session of t1" }]);
  });
});
