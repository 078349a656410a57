import { mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { noteEndOfSessions } from "../../../../src/lib/daemon/task/session-pin.ts";
import { openDatabase, systemClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import { openIndex } from "../../../../src/lib/state/index-db/open.ts";
import { dayPath, rolloutName, rolloutText, threadId, writeRollout } from "../../../support/rollouts.ts";
import { type TaskDaemon, taskDaemon } from "../../../support/task-daemon.ts";
import { tempDir } from "../../../support/temp.ts";

const AT = Date.UTC(2026, 0, 27, 11, 22, 33);
const THREAD = { id: threadId(AT, 7), at: AT };

interface World {
  readonly daemon: TaskDaemon;
  /** The user's own Codex home. */
  readonly userHome: string;
  readonly codexHome: string;
  /** Runs a second task in the first one's environment; answers the session it resumed (a new one leaves no file here), and what was said about the old one. */
  again(prior?: string): Promise<{ session: unknown; notices: unknown[]; status: string }>;
}

/** An environment that one codex task has used. */
async function world(index?: TaskDaemon["ctx"]["index"], places?: { userHome: string }): Promise<World> {
  const userHome = places?.userHome ?? join(tempDir(), "codex");
  mkdirSync(join(userHome, "sessions"), { recursive: true });
  const daemon = await taskDaemon({ agent: "codex-happy", provider: "codex", env: { CODEX_HOME: userHome }, ...(index === undefined ? {} : { index }) });
  const first = daemon.task();
  await runTask(daemon.ctx, first, 1);
  expect(daemon.server.state).toBe("completed");
  const workdir = String(daemon.server.bodies("complete")[0]?.["work_dir"]);
  return {
    daemon,
    userHome,
    codexHome: join(dirname(workdir), "codex-home"),
    again: async (prior = THREAD.id) => {
      const before = daemon.server.entries().length;
      daemon.server.state = "dispatched";
      await runTask(daemon.ctx, daemon.task({ prior_session_id: prior, prior_work_dir: workdir }), 1);
      const entries = daemon.server.entries().slice(before);
      const notices = entries.filter((entry) => String(entry["content"]).startsWith("The earlier session")).map((entry) => entry["content"]);
      return { session: daemon.server.bodies("complete").at(-1)?.["session_id"], notices, status: daemon.server.state };
    },
  };
}

/** What the state file knows of the prior session. */
function sessionsOf(daemon: TaskDaemon): unknown[] {
  const db = openDatabase(daemon.state?.path ?? "", { readOnly: true });
  try {
    return db.prepare("SELECT * FROM session WHERE session_id = :id").all({ id: THREAD.id });
  } finally {
    db.close();
  }
}

describe("the session gate before a codex task", () => {
  it("resumes a session whose rollout is in the environment's home", async () => {
    const { daemon, userHome, again } = await world();
    const path = writeRollout(userHome, THREAD);
    expect(await again()).toEqual({ session: THREAD.id, notices: [], status: "completed" });
    expect(sessionsOf(daemon)).toMatchObject([{ session_id: THREAD.id, rollout_path: realpathSync(path), poisoned: 0, retired_reason: null }]);
  }, 40_000);

  it("writes down which session was given up, and which one's history the model refuses", async () => {
    const { daemon, userHome, again } = await world();
    writeRollout(userHome, THREAD);
    await again();
    const run = { ctx: daemon.ctx, logger: daemon.ctx.logger, job: { provider: "codex" }, task: { prior_session_id: THREAD.id } };
    const failed = { kind: "failed", error: "" } as const;
    noteEndOfSessions({ ...run, known: { sessionId: "", retiredSessionId: "" } }, { ...failed, reason: "agent_error" });
    expect(sessionsOf(daemon)).toMatchObject([{ poisoned: 0, retired_reason: null }]);
    noteEndOfSessions({ ...run, known: { sessionId: "", retiredSessionId: "" } }, { ...failed, reason: "api_invalid_request" });
    expect(sessionsOf(daemon)).toMatchObject([{ poisoned: 1, retired_reason: null }]);
    await again();
    expect(sessionsOf(daemon)).toMatchObject([{ poisoned: 0 }]);
    noteEndOfSessions({ ...run, known: { sessionId: "new", retiredSessionId: THREAD.id } }, { ...failed, reason: "codex_resume_oversized", retirePriorSession: true });
    expect(sessionsOf(daemon)).toMatchObject([{ poisoned: 1, retired_reason: "resume_failed" }]);
  }, 40_000);

  it("begins a new session, and says so in the run's messages, when the rollout is nowhere or another thread's", async () => {
    const { userHome, again } = await world();
    const gone = await again();
    expect(gone).toMatchObject({ session: undefined, status: "completed" });
    expect(gone.notices).toEqual([`The earlier session ${THREAD.id} cannot be continued: no record of it is left in the agent's home. A new one begins.`]);
    writeRollout(userHome, THREAD, { text: rolloutText({ ...THREAD, id: threadId(AT, 8) }) });
    expect(await again()).toMatchObject({ session: undefined, notices: [expect.stringContaining("no record of it is left")] });
  }, 40_000);

  it("brings a rollout of the user's home into a home with sessions of its own, as a second name of the same file", async () => {
    const { userHome, codexHome, again } = await world();
    rmSync(join(codexHome, "sessions"), { recursive: true });
    mkdirSync(join(codexHome, "sessions", "2026"), { recursive: true });
    writeFileSync(join(codexHome, "sessions", "2026", "kept"), "");
    const path = writeRollout(userHome, THREAD);
    expect(await again()).toMatchObject({ session: THREAD.id, notices: [] });
    const here = join(codexHome, "sessions", dayPath(THREAD));
    expect(statSync(here).ino).toBe(statSync(path).ino);
    expect(readFileSync(join(codexHome, "sessions", "2026", "kept"), "utf8")).toBe("");
  }, 40_000);

  it("makes the missing row of a rollout it found, and takes a changed home into the index when the task is over", async () => {
    const userHome = join(tempDir(), "codex");
    mkdirSync(join(userHome, "sessions"), { recursive: true });
    const places = { userHome, workspacesRoot: "", extra: [] };
    const index = await openIndex({ stateDir: tempDir(), version: "1", clock: systemClock, logger: silentLogger, places });
    try {
      const { again } = await world(index, { userHome });
      const path = writeRollout(userHome, THREAD, { path: join("sessions", rolloutName(THREAD)) });
      expect(await index.get(THREAD.id)).toBeNull();
      expect(await again()).toMatchObject({ session: THREAD.id });
      expect((await index.get(THREAD.id))?.rollout_path).toBe(realpathSync(path));
    } finally {
      await index.close();
    }
  }, 40_000);
});
