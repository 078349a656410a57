import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lookUpThread } from "../../../src/cli/session-find.ts";
import { sessionPage } from "../../../src/cli/session-list.ts";
import { type SessionFlags, sessionQuery } from "../../../src/cli/session-query.ts";
import { runBackfill } from "../../../src/cli/state-backfill.ts";
import { askDaemon } from "../../../src/cli/state-daemon.ts";
import { checkFiles, readStatus } from "../../../src/cli/state-file.ts";
import type { DaemonContext } from "../../../src/lib/daemon/context.ts";
import type { HomePlaces, SessionPage, StateStatus } from "../../../src/lib/state/index.ts";
import type { Task } from "../../../src/lib/wire/index.ts";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { configFor, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { localRequest } from "../../support/local-request.ts";
import { type Thread, rolloutName, threadId, writeRollout } from "../../support/rollouts.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const AT = Date.UTC(2026, 0, 27, 11, 22, 33);

/** A daemon with a state file, and a user's Codex home with some threads. */
async function world(count = 3, extra: readonly string[] = []) {
  const server = await testServer();
  const home = testHome();
  const codex = join(home.home, ".codex");
  const paths = Array.from({ length: count }, (_, n) => writeRollout(codex, { id: threadId(AT + n * 1000, n), at: AT + n * 1000, text: `Thread number ${n}` }));
  const held = Promise.withResolvers<{ ctx: DaemonContext; task: Task }>();
  const over = Promise.withResolvers<void>();
  const config = configFor(home, server, "", { indexHomes: extra });
  const daemon = await testDaemon(home, config, {
    noState: false,
    runTask: (ctx, task) => {
      held.resolve({ ctx, task });
      ctx.rootSignal.addEventListener("abort", () => over.resolve(), { once: true });
      return over.promise;
    },
  });
  const places: HomePlaces = { userHome: codex, workspacesRoot: config.workspacesRoot, extra: [...extra] };
  const get = (path: string, token?: string) => localRequest(daemon.port, "GET", path, token === undefined ? {} : { token });
  await waitFor("the index", async () => (await get("/state/sessions", daemon.operatorToken())).status === 200, 20_000);
  const notes: string[] = [];
  const use = { stateDir: daemon.stateDir, places, note: (line: string) => void notes.push(line) };
  return { server, home, codex, paths, daemon, get, places, use, notes, held: held.promise };
}

describe("what the daemon answers about its files", () => {
  it("is for the person who runs it alone: not for nobody, not for a task, not for a page", async () => {
    const { server, daemon, get, held } = await world();
    const [runtime] = await server.api.runtimes();
    const agent = await server.api.createAgent({ name: "Ada", runtime_id: runtime?.id ?? "" });
    await server.api.createIssue({ title: "work", assignee_type: "agent", assignee_id: agent.id });
    const { ctx, task } = await held;
    ctx.credentials.register("mat_task", { workspaceId: task.workspace_id, taskId: task.id, agentId: "a", agentName: "Ada", workdir: "/w", envRoot: "/e" });
    for (const path of ["/state", "/state/sessions", `/state/sessions/${threadId(AT, 0)}`, "/state/jobs/x"]) {
      expect([path, (await get(path)).status, (await get(path, "mat_task")).status]).toEqual([path, 401, 403]);
    }
    const page = await localRequest(daemon.port, "POST", "/state/backfill", { token: daemon.operatorToken(), headers: { origin: "https://example.com" }, body: "{}" });
    const form = await localRequest(daemon.port, "POST", "/state/check", { token: daemon.operatorToken(), headers: { "content-type": "text/plain" }, body: "{}" });
    expect([page.status, form.status]).toEqual([403, 400]);
    expect((await get("/state/jobs/x", daemon.operatorToken())).status).toBe(404);
    expect((await localRequest(daemon.port, "DELETE", "/state", { token: daemon.operatorToken() })).status).toBe(405);
    const status = JSON.parse((await get("/state?dead=true", daemon.operatorToken())).text) as StateStatus;
    expect(status).toMatchObject({ state: { tasks: { claimed: 1 }, outbox: { queued: 0, paused: null }, open_by: { alive: true } }, index: { threads: 3 }, dead: [], degraded: [] });
  }, 30_000);

  it("is what the commands show while it runs, and the same as they find themselves when it does not", async () => {
    const { daemon, paths, use, places, notes } = await world();
    const query = await sessionQuery({ limit: 2 }, "/");
    const answered = await askDaemon(daemon.stateDir, (port) => port.sessions<SessionPage>([["limit", "2"]]));
    expect(answered.kind).toBe("answer");
    const id = threadId(AT + 1000, 1);
    const wish = { text: id.slice(0, 18), scope: "any" as const, repair: true, all: true, session: true };
    const ask = async () => ({
      page: await sessionPage(use, query),
      looked: await lookUpThread(use, { ...wish, text: id }),
      filled: await runBackfill({ stateDir: daemon.stateDir, places, force: false, note: use.note }),
      check: await checkFiles({ stateDir: daemon.stateDir, full: true, all: true }),
    });
    const through = await ask();
    expect(through.page).toMatchObject({ from: "index", sessions: [{ title: "Thread number 2" }, { title: "Thread number 1" }] });
    expect(through.looked).toMatchObject({ found: { rollout_path: paths[1], verified: true }, files: [{ path: paths[1] }], session: { title: "Thread number 1" } });
    expect(through.filled).toMatchObject({ timed_out: false, scanned: 3, unchanged: 3, failed: 0 });
    expect(through.check).toEqual({ state: { ok: true, findings: [] }, index: { ok: true, findings: [] }, actions: [] });
    expect((await readStatus({ stateDir: daemon.stateDir, dead: false })).state?.outbox.paused).toBeNull();
    await expect(lookUpThread(use, { ...wish, text: "abc" })).rejects.toMatchObject({ code: "usage", exit: 2 });
    await expect(lookUpThread(use, { ...wish, text: "01900000" })).rejects.toMatchObject({ code: "thread_not_found", exit: 4 });
    await daemon.stop();
    const alone = await ask();
    expect({ ...alone, filled: { ...alone.filled, duration_ms: 0 } }).toEqual({ ...through, filled: { ...through.filled, duration_ms: 0 } });
    expect(notes).toEqual([]);
  }, 40_000);

  it("knows every flag of a list: the same threads with it and without", async () => {
    const server = await testServer();
    const home = testHome();
    const codex = join(home.home, ".codex");
    const cwd = tempDir();
    mkdirSync(join(cwd, "below"));
    const make = (n: number, more: Partial<Thread> = {}, place: Parameters<typeof writeRollout>[2] = {}): string => writeRollout(codex, { id: threadId(AT + n * 1000, n), at: AT + n * 1000, ...more }, place);
    make(1, { cwd, source: "exec", text: "Find the needle" });
    make(2, { cwd: join(cwd, "below"), source: "vscode", provider: "mock" });
    make(3, { source: "exec" }, { path: join("archived_sessions", rolloutName({ id: threadId(AT + 3000, 3), at: AT + 3000 })) });
    // Both files without a write-ahead log, as on the file system of a network.
    home.env["MULTICA_STATE_JOURNAL_MODE"] = "delete";
    const config = configFor(home, server);
    const root = join(config.workspacesRoot, "w1", "k1");
    mkdirSync(join(root, "codex-home", "sessions"), { recursive: true });
    writeFileSync(join(root, ".multica_env.json"), JSON.stringify({ v: 1, workspace_id: "w1", task_id: "t0", last_task_id: "task-1", issue_id: "issue-1", agent_id: "agent-1" }));
    writeRollout(join(root, "codex-home"), { id: threadId(AT + 4000, 4), at: AT + 4000, cwd: root, source: "cli" });
    const daemon = await testDaemon(home, config, { noState: false });
    const places: HomePlaces = { userHome: codex, workspacesRoot: config.workspacesRoot, extra: [] };
    await waitFor("the index", async () => (await localRequest(daemon.port, "GET", "/state/sessions", { token: daemon.operatorToken() })).status === 200, 20_000);
    const use = { stateDir: daemon.stateDir, places, note: () => undefined };
    const all: [SessionFlags, number[]][] = [
      [{ sort: "created" }, [4, 2, 1]],
      [{ sort: "created", asc: true }, [1, 2, 4]],
      [{ archived: true }, [3]],
      [{ sort: "created", source: ["exec", "vscode"] }, [2, 1]],
      [{ provider: ["mock"] }, [2]],
      [{ cwd: [cwd] }, [1]],
      [{ sort: "created", cwd: [`${cwd}/**`] }, [2, 1]],
      [{ search: "NEEDLE" }, [1]],
      [{ home: "tasks" }, [4]],
      [{ sort: "created", home: "user" }, [2, 1]],
      [{ home: join(root, "codex-home") }, [4]],
      [{ issue: "issue-1" }, [4]],
      [{ task: "task-1" }, [4]],
      [{ agent: "agent-1" }, [4]],
      [{ agent: "agent-2" }, []],
    ];
    const list = async (flags: SessionFlags): Promise<SessionPage> => sessionPage(use, await sessionQuery(flags, "/"));
    const ids = (page: SessionPage): string[] => page.sessions.map((row) => row.thread_id);
    for (const [flags, wanted] of all) expect([flags, ids(await list(flags))]).toEqual([flags, wanted.map((n) => threadId(AT + n * 1000, n))]);
    const first = await list({ sort: "created", limit: 2 });
    expect(ids(await list({ sort: "created", limit: 2, cursor: first.next_cursor ?? "" }))).toEqual([threadId(AT + 1000, 1)]);
    for (const name of ["state_1.sqlite", "index_1.sqlite"]) {
      const db = openDatabase(join(daemon.stateDir, name), { readOnly: true });
      expect([name, db.scalar("PRAGMA journal_mode")]).toEqual([name, "delete"]);
      db.close();
    }
    const through = await Promise.all(all.map(([flags]) => list(flags)));
    await daemon.stop();
    for (const [at, [flags]] of all.entries()) expect([flags, await list(flags)]).toEqual([flags, through[at]]);
  }, 30_000);

  it("is nothing without the state file and the index, and says so", async () => {
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, await testServer()));
    const ask = (method: string, path: string, body?: string) => localRequest(daemon.port, method, path, { token: daemon.operatorToken(), ...(body === undefined ? {} : { body }) });
    expect(JSON.parse((await ask("GET", "/state")).text)).toEqual({ state: null, index: null, last_check: null, degraded: [] });
    const refused = [await ask("GET", "/state/sessions"), await ask("GET", "/state/sessions/01a1fc69"), await ask("POST", "/state/backfill", "{}"), await ask("POST", "/state/check", "{}")];
    expect(refused.map((one) => [one.status, one.headers["x-multica-code"]])).toEqual(Array(4).fill([503, "index_not_ready"]));
  });

  it("finds rows that do not fit their files, and makes the index anew when asked to", async () => {
    const { daemon, paths, codex, places } = await world();
    const [first = "", second = ""] = paths;
    // Another thread's content under a name the index holds for the first; its own file is gone.
    const other = writeRollout(join(codex, "away"), { id: threadId(AT, 99), at: AT, text: "somebody else's" });
    renameSync(other, first);
    rmSync(second);
    const stateDir = daemon.stateDir;
    const result = await checkFiles({ stateDir, full: true, all: true });
    expect(result.state.ok).toBe(true);
    expect(result.index?.findings.map((one) => one.code)).toEqual(["row", "row"]);
    expect(result.index?.findings.map((one) => one.detail).join("\n")).toMatch(/is the file of thread .*\n.* is gone/s);
    expect((await checkFiles({ stateDir, full: false, all: false })).index?.ok).toBe(true);
    const repaired = await checkFiles({ stateDir, full: true, all: true, repairIndex: places });
    expect(repaired).toMatchObject({ index: { ok: true }, actions: ["the index was made anew"] });
  }, 40_000);

  it("leaves a home it does not look into to the command, and looks into those the settings name", async () => {
    const extra = join(tempDir(), "other-codex");
    mkdirSync(extra);
    writeRollout(extra, { id: threadId(AT, 50), at: AT, text: "from the settings' home" });
    const { use, places, daemon } = await world(1, [extra]);
    const page = await sessionPage(use, await sessionQuery({ home: extra }, "/"));
    expect(page.sessions.map((row) => row.title)).toEqual(["from the settings' home"]);
    const unknown = join(tempDir(), "third-codex");
    mkdirSync(unknown);
    writeRollout(unknown, { id: threadId(AT, 60), at: AT, text: "named by hand" });
    expect(await askDaemon(daemon.stateDir, (port) => port.sessions([["home", unknown]]))).toEqual({ kind: "none" });
    const byHand = { ...use, places: { ...places, extra: [unknown, extra] } };
    expect((await sessionPage(byHand, await sessionQuery({ home: unknown }, "/"))).sessions.map((row) => row.title)).toEqual(["named by hand"]);
  }, 30_000);

  it("sends a command to the files while the index is being made, and a question that nobody answers to them too", async () => {
    const { daemon, use, codex } = await world(2);
    rmSync(join(daemon.stateDir, "index_1.sqlite"));
    appendFileSync(writeRollout(codex, { id: threadId(AT + 9000, 9), at: AT + 9000, text: "newest" }), "");
    const page = await sessionPage(use, await sessionQuery({}, "/"));
    expect(page.sessions.map((row) => row.title)).toContain("newest");
    // A daemon that was killed leaves its place behind.
    await daemon.stop();
    writeFileSync(join(daemon.stateDir, "daemon.json"), JSON.stringify({ pid: 1, port: 1 }));
    writeFileSync(join(daemon.stateDir, "daemon.token"), "old\n");
    expect((await sessionPage(use, await sessionQuery({}, "/"))).sessions).toHaveLength(3);
  }, 30_000);
});
