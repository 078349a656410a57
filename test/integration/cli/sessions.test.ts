import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import type { BackfillStats, FoundRollout, SessionPage, SessionRow } from "../../../src/lib/state/index.ts";
import { runCli } from "../../support/cli.ts";
import { rolloutName, threadId, writeRollout } from "../../support/rollouts.ts";
import { tempDir } from "../../support/temp.ts";

const AT = Date.UTC(2026, 0, 27, 11, 22, 33);
const BIN = join(import.meta.dirname, "../../../bin/run.js");
/** A Node 22.13 besides the project's own (`npm install node@22.13.0` in some directory). */
const OLDEST_NODE = process.env["MULTICA_OLDEST_NODE"];

function machine(count: number): { home: string; codex: string; paths: string[]; run: (...args: string[]) => ReturnType<typeof runCli> } {
  const home = tempDir();
  const codex = join(home, ".codex");
  const paths = Array.from({ length: count }, (_, n) => writeRollout(codex, { id: threadId(AT + n * 3_600_000, n), at: AT + n * 3_600_000, text: `Thread number ${n}` }));
  return { home, codex, paths, run: (...args) => runCli(args, { home }) };
}

function json<T>(result: { stdout: string }): T {
  return JSON.parse(result.stdout) as T;
}

describe("session commands", () => {
  it("list page by page, find by a beginning, show everything, and keep the index to the user alone", async () => {
    const { home, paths, run } = machine(5);
    const first = await run("session", "list", "--limit", "3", "--sort", "created", "--json");
    expect([first.code, first.stderr]).toEqual([0, ""]);
    const page = json<SessionPage>(first);
    expect(page).toMatchObject({ from: "index", partial: false });
    expect(page.sessions.map((row) => row.title)).toEqual(["Thread number 4", "Thread number 3", "Thread number 2"]);
    const rest = json<SessionPage>(await run("session", "list", "--limit", "3", "--sort", "created", "--cursor", page.next_cursor ?? "", "--json"));
    expect([rest.sessions.length, rest.next_cursor]).toEqual([2, null]);
    expect((await run("session", "list", "--cursor", page.next_cursor ?? "")).code).toBe(2);
    const table = await run("session", "list", "--search", "number 1");
    expect(table.stdout.split("\n")[0]).toMatch(/^UPDATED +THREAD +SOURCE +CWD +TITLE +TOKENS +ISSUE$/);
    expect(table.stdout).toContain("Thread number 1");
    const id = threadId(AT + 3_600_000, 1);
    const found = await run("session", "find", id.slice(0, 13));
    expect([found.code, found.stdout, found.stderr]).toEqual([0, `${paths[1] ?? ""}\n`, ""]);
    expect((await run("session", "find", id, "--debug")).stderr).toContain("found through the index");
    const shown = json<SessionRow & { lookup: FoundRollout; files: unknown[] }>(await run("session", "show", id, "--json"));
    expect(shown).toMatchObject({ thread_id: id, title: "Thread number 1", lookup: { verified: true }, files: [{ path: paths[1], verified: true }] });
    expect(statSync(join(home, ".multica", "index_1.sqlite")).mode & 0o077).toBe(0);
  }, 40_000);

  it("tell unknown, ambiguous and badly written threads apart", async () => {
    const { run } = machine(2);
    const [one, two] = [threadId(AT, 0), threadId(AT + 3_600_000, 1)];
    const ambiguous = await run("session", "find", "019bff", "--json");
    expect([ambiguous.code, ambiguous.stderr]).toEqual([2, expect.stringContaining("several threads begin with 019bff")]);
    expect(ambiguous.stderr).toContain(one);
    expect(ambiguous.stderr).toContain(two);
    expect((await run("session", "find", "abc")).code).toBe(2);
    expect((await run("session", "find", threadId(AT, 77))).code).toBe(4);
    expect((await run("session", "find", one, "--home", "/nowhere/at/all")).code).toBe(4);
    expect((await run("session", "list", "--limit", "501")).code).toBe(2);
  }, 40_000);

  it("repair a stale row unless asked not to, and print every file of a thread", async () => {
    const { codex, paths, run } = machine(1);
    const id = threadId(AT, 0);
    await run("state", "backfill");
    rmSync(paths[0] ?? "");
    const archived = writeRollout(codex, { id, at: AT }, { path: join("archived_sessions", rolloutName({ id, at: AT })) });
    const all = json<FoundRollout & { files: { path: string }[] }>(await run("session", "find", id, "--all", "--json"));
    expect(all).toMatchObject({ rollout_path: archived, archived: true, verified: true, files: [{ path: archived }] });
    expect((await run("session", "list", "--archived")).stdout).toContain(id.slice(0, 8));
  }, 40_000);

  it("make no database with --no-index, and answer the same [B2]", async () => {
    const { home, run } = machine(3);
    const page = json<SessionPage>(await run("session", "list", "--no-index", "--json"));
    expect([page.from, page.sessions.length]).toEqual(["files", 3]);
    await run("session", "find", threadId(AT, 0), "--no-index");
    await run("version");
    // Inside a task; there is no daemon to ask.
    const task = { MULTICA_TASK_ID: "t", MULTICA_AGENT_ID: "a", MULTICA_WORKSPACE_ID: "w", MULTICA_TOKEN: `mat_${"a".repeat(32)}`, MULTICA_DAEMON_PORT: "1" };
    const checkout = await runCli(["repo", "checkout", "https://example.com/repo.git"], { home, env: task });
    expect([checkout.code, checkout.stderr]).toEqual([6, expect.stringContaining("daemon")]);
    expect(readdirSync(home, { recursive: true }).filter((name) => String(name).includes("sqlite"))).toEqual([]);
    expect(existsSync(join(home, ".multica"))).toBe(false);
    const indexed = json<SessionPage>(await run("session", "list", "--json"));
    expect(indexed.sessions).toEqual(page.sessions);
  }, 40_000);

  it.skipIf(OLDEST_NODE === undefined)("answer the same on the oldest Node that is supported, and say nothing else [B7]", async () => {
    const { home } = machine(3);
    const commands = [["session", "list", "--json"], ["session", "find", threadId(AT, 0), "--json"], ["state", "check", "--full", "--json"], ["state", "salvage", "--json"]];
    const answers = async (node: string): Promise<unknown[]> => {
      rmSync(join(home, ".multica"), { recursive: true, force: true });
      mkdirSync(join(home, ".multica"));
      // An empty file is a damaged one: the salvage makes and migrates a new one, which the status shows.
      writeFileSync(join(home, ".multica", "state_1.sqlite"), "", { mode: 0o600 });
      const results = [];
      for (const args of [...commands, ["state", "status", "--json"]]) {
        const { status, stdout, stderr } = spawnSync(node, [BIN, ...args], { encoding: "utf8", env: { PATH: "/usr/bin:/bin", HOME: home } });
        results.push({ status, stderr, said: stdout.replaceAll(/[0-9a-f-]{36}"|\d{13}|"(bytes|wal_bytes)":\d+|\d{4}-[0-9T:.-]+Z/g, "…") });
      }
      return results;
    };
    expect(await answers(OLDEST_NODE ?? "")).toEqual(await answers(process.execPath));
  }, 60_000);

  it("count what a backfill did; a new home is added and stays known", async () => {
    const { home, run } = machine(4);
    expect(json<BackfillStats>(await run("state", "backfill", "--json"))).toMatchObject({ roots: 1, scanned: 4, upserted: 4, failed: 0, timed_out: false });
    expect(json<BackfillStats>(await run("state", "backfill", "--json"))).toMatchObject({ upserted: 0, unchanged: 4 });
    expect(json<BackfillStats>(await run("state", "backfill", "--force", "--no-wait", "--json"))).toMatchObject({ upserted: 4 });
    const other = join(home, "old", ".codex");
    mkdirSync(other, { recursive: true });
    writeRollout(other, { id: threadId(AT, 50), at: AT });
    expect((await run("state", "backfill", "--home", other)).code).toBe(0);
    expect(json<SessionPage>(await run("session", "list", "--json")).sessions.length).toBe(5);
    expect(json<SessionPage>(await run("session", "list", "--home", other, "--json")).sessions.length).toBe(1);
  }, 40_000);

  it.each([["session", "list"], ["session", "find", threadId(AT, 0)], ["session", "show", threadId(AT, 0)], ["state", "backfill"]])("are refused inside a task: %s %s [B39]", async (...args) => {
    const { home } = machine(1);
    const result = await runCli(args, { home, env: { MULTICA_TASK_ID: "t", MULTICA_AGENT_ID: "a", MULTICA_TOKEN: `mat_${"a".repeat(32)}` } });
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining("not available inside a daemon-managed task")]);
    expect(readdirSync(home)).toEqual([".codex"]);
  });

  it("look into the homes that config set names, until they are cleared", async () => {
    const { home, run } = machine(1);
    const other = join(home, "old");
    writeRollout(other, { id: threadId(AT, 77), at: AT, text: "Elsewhere" });
    expect(json<SessionPage>(await run("session", "list", "--json")).sessions).toHaveLength(1);
    // Names are taken from where the command runs.
    expect((await run("config", "set", "index_homes", "old")).code).toBe(0);
    expect(JSON.parse(readFileSync(join(home, ".multica", "config.json"), "utf8"))).toMatchObject({ index_homes: [other] });
    expect((await run("state", "backfill")).code).toBe(0);
    const listed = json<SessionPage>(await run("session", "list", "--json")).sessions;
    expect(listed.map((one) => one.thread_id)).toContain(threadId(AT, 77));
    expect((await run("session", "find", threadId(AT, 77))).stdout.trim()).toContain(other);
    expect((await run("config", "set", "index_homes", "")).code).toBe(0);
    expect(JSON.parse(readFileSync(join(home, ".multica", "config.json"), "utf8"))).not.toHaveProperty("index_homes");
  });

  it("show Codex's own databases when asked to", async () => {
    const { codex, run } = machine(1);
    const db = openDatabase(join(codex, "state_5.sqlite"));
    db.exec("CREATE TABLE threads (id TEXT); INSERT INTO threads VALUES ('a')");
    db.close();
    await run("state", "backfill");
    const status = JSON.parse((await run("state", "status", "--codex", "--json")).stdout) as Record<string, unknown>;
    expect(status).toMatchObject({ index: { threads: 1, homes: 1, backfill: { holder: null } }, codex: [{ home: codex, generation: 5, threads: 1, backfill: null, error: null }] });
    expect((await run("state", "status", "--codex")).stdout).toMatch(/GENERATION +THREADS/);
  });

  it("answer from the files, and say so, when the index cannot be opened", async () => {
    const { home, run } = machine(2);
    mkdirSync(join(home, ".multica", "index_1.sqlite"), { recursive: true });
    const result = await run("session", "list", "--json");
    expect([result.code, json<SessionPage>(result).from]).toEqual([0, "files"]);
    expect(result.stderr).toContain("Answering from the files");
  });
});
