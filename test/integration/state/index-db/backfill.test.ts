import { appendFileSync, chmodSync, closeSync, linkSync, mkdirSync, openSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase, systemClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import { IndexWorker } from "../../../../src/lib/state/index-db/worker-index.ts";
import { findRollout, listSessions } from "../../../../src/lib/state/index.ts";
import { everything, indexWorld, type IndexWorld } from "../../../support/index-db.ts";
import { rolloutName, rolloutText, type Thread, threadId, writeRollout } from "../../../support/rollouts.ts";
import { tempDir } from "../../../support/temp.ts";
import { waitFor } from "../../../support/wait.ts";

const AT = Date.UTC(2026, 0, 27, 11, 22, 33);

function thread(n: number, more: Partial<Thread> = {}): Thread {
  return { id: threadId(AT + n * 1000, n), at: AT + n * 1000, ...more };
}

/** An environment of a task, its Codex home linked to these sessions. */
function taskHome(world: IndexWorld, key: string, sessions: string | null): string {
  const root = join(world.places.workspacesRoot, "w1", key);
  mkdirSync(join(root, "codex-home"), { recursive: true });
  writeFileSync(join(root, ".multica_env.json"), JSON.stringify({ v: 1, workspace_id: "w1", task_id: "t0", last_task_id: `task-${key}`, issue_id: `issue-${key}`, agent_id: "a1" }));
  if (sessions !== null) symlinkSync(sessions, join(root, "codex-home", "sessions"));
  return join(root, "codex-home");
}

describe("a pass over the homes", () => {
  it("keeps a working directory in its normal form [A18]", async () => {
    const world = indexWorld();
    const cwd = tempDir();
    writeRollout(world.home, { id: threadId(AT, 1), at: AT, cwd: `${cwd}/.` });
    const index = await world.open();
    expect((await index.list(everything())).sessions.map((row) => row.cwd)).toEqual([realpathSync(cwd)]);
    expect((await index.list(everything({ cwds: [realpathSync(cwd)] }))).sessions).toHaveLength(1);
  });

  it("reads a directory that many homes link to once, and knows all of them [B27]", async () => {
    const world = indexWorld();
    for (let n = 0; n < 60; n += 1) writeRollout(world.home, thread(n));
    const homes = Array.from({ length: 40 }, (_, n) => taskHome(world, `k${n}`, join(world.home, "sessions")));
    let read = 0;
    const index = await world.open({ onFilled: (stats) => (read = stats.upserted) });
    expect(read).toBe(60);
    expect((await index.get(thread(3).id))?.homes.toSorted()).toEqual([world.home, ...homes].toSorted());
    expect((await index.status()).roots.length).toBe(1);
  });

  it("knows a hard link for what it is: one thread, read once, both homes [B28]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const store = join(world.home, "multica-sessions", "default", "a1", "issue-1");
    mkdirSync(store, { recursive: true });
    linkSync(path, join(store, rolloutName(thread(1))));
    let stats = { upserted: 0, scanned: 0 };
    const index = await world.open({ onFilled: (filled) => (stats = filled) });
    expect(stats).toMatchObject({ scanned: 2, upserted: 2 });
    const files = await index.files(thread(1).id);
    expect(files.length).toBe(2);
    expect((await index.list(everything())).sessions.map((row) => row.homes.toSorted())).toEqual([[world.home, store].toSorted()]);
  });

  it("takes another name of a known file as it is: nothing is read again [B28]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1, { text: "as it was read" }));
    // A whole second: what is set by hand has not the fractions of what a write leaves.
    utimesSync(path, 1000, 1000);
    const index = await world.open();
    // Another content of the same size and time: only reading it would tell.
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("as it was read", "as it is today"));
    utimesSync(path, 1000, 1000);
    const store = join(world.home, "multica-sessions", "default", "a1", "issue-1");
    mkdirSync(store, { recursive: true });
    linkSync(path, join(store, rolloutName(thread(1))));
    expect(await index.refresh()).toMatchObject({ scanned: 2 });
    expect(await index.get(thread(1).id)).toMatchObject({ title: "as it was read", homes: expect.arrayContaining([world.home, store]) as string[] });
    expect(await index.refresh({ force: true })).toMatchObject({ upserted: 2 });
    expect((await index.get(thread(1).id))?.title).toBe("as it is today");
  });

  it("links a thread to the task whose environment it worked in", async () => {
    const world = indexWorld();
    const home = taskHome(world, "k1", join(world.home, "sessions"));
    const cwd = join(dirname(home), "workdir");
    mkdirSync(cwd);
    writeRollout(world.home, thread(1, { cwd }));
    writeRollout(world.home, thread(2));
    const index = await world.open();
    expect(await index.get(thread(1).id)).toMatchObject({ task_id: "task-k1", issue_id: "issue-k1", agent_id: "a1" });
    for (const given of [index, null]) {
      const ids = async (query: Parameters<typeof everything>[0]): Promise<string[]> => (await listSessions(given, everything(query), world.places)).sessions.map((row) => row.thread_id);
      expect(await ids({ issueId: "issue-k1" })).toEqual([thread(1).id]);
      expect(await ids({ home: "tasks" })).toEqual([thread(1).id]);
      expect((await ids({ home: "user" })).length).toBe(2);
      expect((await ids({ home })).length).toBe(2);
    }
  });

  it("follows files that grow, are replaced, vanish, or change their form [B31, B32]", async () => {
    const world = indexWorld();
    const [grows, replaced, gone, packed] = [1, 2, 3, 4].map((n) => writeRollout(world.home, thread(n)));
    const index = await world.open();
    if (grows === undefined || replaced === undefined || gone === undefined || packed === undefined) throw new Error("no files");
    const line = JSON.stringify({ timestamp: "2026-01-27T12:00:00.000Z", type: "event_msg", payload: { type: "token_count", info: { total_token_usage: { total_tokens: 777 } } } });
    appendFileSync(grows, line.slice(0, 40));
    expect(await index.refresh()).toMatchObject({ upserted: 1, unchanged: 3 });
    expect((await index.get(thread(1).id))?.tokens_used).toBe(100);
    appendFileSync(grows, `${line.slice(40)}\n`);
    writeFileSync(replaced, rolloutText(thread(9, { text: "another thread" })));
    rmSync(gone);
    rmSync(packed);
    writeRollout(world.home, thread(4, { text: "packed now" }), { zst: true });
    expect(await index.refresh()).toMatchObject({ upserted: 3, removed: 1 });
    expect((await index.get(thread(1).id))?.tokens_used).toBe(777);
    expect(await index.get(thread(2).id)).toBeNull();
    expect(await index.get(thread(9).id)).toMatchObject({ title: "another thread", rollout_path: replaced });
    expect(await index.get(thread(3).id)).toBeNull();
    expect(await index.get(thread(4).id)).toMatchObject({ title: "packed now", rollout_path: `${packed}.zst` });
    truncateSync(grows, 10);
    await index.refresh();
    expect((await index.list(everything())).sessions.map((row) => row.thread_id)).not.toContain(thread(1).id);
    expect(await index.refresh()).toMatchObject({ upserted: 0, removed: 0 });
  });

  it("reads a compressed file whose name alone an older Node could read", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1, { text: "Packed" }), { zst: true });
    const index = await world.open();
    const db = openDatabase(index.path);
    // As Node 22.13 leaves it.
    db.exec("UPDATE rollout SET status = 'no_meta', parsed_bytes = 0; UPDATE thread SET title = '', preview = ''");
    db.close();
    expect((await index.list(everything())).sessions).toEqual([]);
    expect(await index.refresh()).toMatchObject({ upserted: 1 });
    expect((await index.list(everything())).sessions.map((row) => row.title)).toEqual(["Packed"]);
    expect(await index.refresh()).toMatchObject({ upserted: 0, unchanged: 1 });
  });

  it("prefers live, then larger, then newer copies of a thread, and falls back to the next when one goes", async () => {
    const world = indexWorld();
    const small = writeRollout(world.home, thread(1, { text: "small" }));
    const large = writeRollout(world.home, thread(1, { text: "large", turns: 2 }), { path: join("sessions", "copy", rolloutName(thread(1))) });
    const archived = writeRollout(world.home, thread(1, { text: "archived", turns: 5 }), { path: join("archived_sessions", rolloutName(thread(1))) });
    const index = await world.open();
    const title = async (): Promise<string | undefined> => (await index.get(thread(1).id))?.title;
    expect(await title()).toBe("large");
    rmSync(large);
    await index.refresh();
    expect(await title()).toBe("small");
    rmSync(small);
    await index.refresh();
    expect(await index.get(thread(1).id)).toMatchObject({ title: "archived", archived: true, rollout_path: archived });
  });

  it("follows a thread into the archive and back; a look-up in between repairs [B35]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const index = await world.open();
    const archived = join(world.home, "archived_sessions", rolloutName(thread(1)));
    mkdirSync(dirname(archived));
    renameSync(path, archived);
    const options = { places: world.places, repair: true, clock: systemClock };
    expect(await findRollout(index, thread(1).id, { ...options, scope: "any" })).toMatchObject({ rollout_path: archived, archived: true, repaired: true });
    expect(await index.get(thread(1).id)).toMatchObject({ archived: true });
    expect((await index.list(everything({ archived: true }))).sessions.length).toBe(1);
    renameSync(archived, path);
    await index.refresh();
    expect(await index.get(thread(1).id)).toMatchObject({ archived: false, archived_at: null, rollout_path: path });
  });

  it("takes names from the home, the last line of a thread last, also for threads that come later", async () => {
    const world = indexWorld();
    mkdirSync(world.home);
    const named = (n: number, name: string, at: string): string => `${JSON.stringify({ id: thread(n).id, thread_name: name, updated_at: at })}\n`;
    const path = join(world.home, "session_index.jsonl");
    writeFileSync(path, `${named(1, "first", "2026-01-01T00:00:00Z")}half a li\n${named(1, "second", "2026-01-02T00:00:00Z")}${named(2, "early", "2026-01-01T00:00:00Z")}`);
    writeRollout(world.home, thread(1));
    const index = await world.open();
    expect((await index.get(thread(1).id))?.name).toBe("second");
    writeRollout(world.home, thread(2));
    await index.refresh();
    for (const given of [index, null]) {
      const { sessions } = await listSessions(given, everything({ search: "EARLY" }), world.places);
      expect(sessions.map((row) => row.name)).toEqual(["early"]);
    }
  });

  it("leaves out what it cannot read and says how much that was; links to directories are not followed", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1, { cwd: `${world.root}/.` }));
    writeRollout(world.home, thread(2), { text: "not json\n" });
    writeRollout(world.home, thread(3), { text: "" });
    const elsewhere = writeRollout(world.root, thread(4), { path: join("volume", rolloutName(thread(4))) });
    symlinkSync(elsewhere, join(world.home, "sessions", rolloutName(thread(4))));
    symlinkSync(world.home, join(world.home, "sessions", "loop"));
    const index = await world.open();
    const { sessions } = await index.list(everything());
    expect(sessions.map((row) => row.thread_id).toSorted()).toEqual([thread(1).id, thread(4).id].toSorted());
    expect(sessions.find((row) => row.thread_id === thread(1).id)?.cwd).toBe(world.root);
    expect(await findRollout(index, thread(2).id, { scope: "live", places: world.places, repair: true, clock: systemClock })).toMatchObject({ verified: false });
  });

  it.skipIf(process.getuid?.() === 0)("keeps the rows of a directory that may not be read just now", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const index = await world.open();
    chmodSync(dirname(path), 0o000);
    onTestFinished(() => chmodSync(dirname(path), 0o755));
    expect(await index.refresh()).toMatchObject({ failed: 1, removed: 0 });
    expect(await index.get(thread(1).id)).not.toBeNull();
  });

  it("forgets homes that are gone, and their threads", async () => {
    const world = indexWorld();
    const home = taskHome(world, "k1", null);
    writeRollout(home, thread(1));
    writeRollout(world.home, thread(2));
    const index = await world.open();
    expect((await index.list(everything())).sessions.length).toBe(2);
    rmSync(dirname(home), { recursive: true });
    await index.refresh();
    expect((await index.list(everything())).sessions.map((row) => row.thread_id)).toEqual([thread(2).id]);
    expect(await index.status()).toMatchObject({ homes: 1, roots: [expect.objectContaining({ status: "complete", files: 1 })] });
  });

  it("reads everything again when forced", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1));
    const index = await world.open();
    expect(await index.refresh()).toMatchObject({ upserted: 0, unchanged: 1 });
    expect(await index.refresh({ force: true })).toMatchObject({ upserted: 1, unchanged: 0 });
  });
});

describe("listing", () => {
  it("shows every thread once and misses none over ten thousand equal times and inserts between pages [B36]", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(0));
    const index = await world.open();
    const db = openDatabase(index.path);
    const path = (await index.get(thread(0).id))?.rollout_path ?? "";
    const insert = (id: string): void => {
      db.prepare("INSERT INTO thread (provider, thread_id, rollout_path, created_at_ms, updated_at_ms, title, first_user_message, preview, tokens_used, archived) VALUES ('codex', :id, :path, 5, 5, 't', 't', 't', 0, 0)").run({ id, path });
    };
    db.transaction(() => Array.from({ length: 10_000 }, (_, n) => insert(threadId(AT, n * 2 + 100))));
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; ; page += 1) {
      const { sessions, next_cursor: next } = await index.list(everything({ cursor }));
      seen.push(...sessions.map((row) => row.thread_id));
      if (next === null) break;
      insert(threadId(AT, 50_001 + page * 2));
      cursor = next;
    }
    db.close();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(10_001);
  });

  it("drops rows whose file is gone, fills the page up, and refuses a cursor of another order", async () => {
    const world = indexWorld();
    const paths = Array.from({ length: 9 }, (_, n) => writeRollout(world.home, thread(n)));
    paths.forEach((path, n) => utimesSync(path, 1000 + n, 1000 + n));
    const index = await world.open();
    for (const path of paths.slice(4, 8)) rmSync(path);
    const page = await index.list(everything({ limit: 3 }));
    expect(page.sessions.map((row) => row.thread_id)).toEqual([8, 3, 2].map((n) => thread(n).id));
    expect(await index.get(thread(5).id)).toBeNull();
    await expect(index.list(everything({ cursor: page.next_cursor ?? "", sort: "created" }))).rejects.toMatchObject({ code: "usage", exit: 2 });
    await expect(index.list(everything({ cursor: "nonsense" }))).rejects.toMatchObject({ code: "usage" });
  });

  it("filters alike with an index and without: source, provider, directory and below [A10]", async () => {
    const world = indexWorld();
    mkdirSync(join(world.root, "app", "sub"), { recursive: true });
    writeRollout(world.home, thread(1, { source: "cli", cwd: join(world.root, "app") }));
    writeRollout(world.home, thread(2, { source: "vscode", cwd: join(world.root, "app", "sub"), provider: "mock" }));
    writeRollout(world.home, thread(3, { source: { subagent: "review" }, cwd: join(world.root, "application") }));
    const index = await world.open();
    for (const given of [index, null]) {
      const found = async (query: Parameters<typeof everything>[0]): Promise<string[]> => (await listSessions(given, everything({ sort: "created", ascending: true, ...query }), world.places)).sessions.map((row) => row.thread_id);
      expect(await found({ sources: ["cli", "vscode"] })).toEqual([thread(1).id, thread(2).id]);
      expect(await found({ providers: ["mock"] })).toEqual([thread(2).id]);
      expect(await found({ cwds: [join(world.root, "app")] })).toEqual([thread(1).id]);
      expect(await found({ cwds: [`${join(world.root, "app")}/**`] })).toEqual([thread(1).id, thread(2).id]);
    }
  });
});

describe("a damaged or lost index", () => {
  it.each([
    ["garbage", "this is no database".repeat(400)],
    ["a database of something else", null],
  ])("is set aside and made anew from the files: %s", async (_, content) => {
    const world = indexWorld();
    writeRollout(world.home, thread(1));
    mkdirSync(world.stateDir);
    const path = join(world.stateDir, "index_1.sqlite");
    if (content !== null) writeFileSync(path, content, { mode: 0o600 });
    else {
      const other = openDatabase(path);
      other.exec("CREATE TABLE notes (text TEXT)");
      other.close();
    }
    const index = await world.open();
    expect(await index.get(thread(1).id)).not.toBeNull();
    expect(readdirSync(world.stateDir).filter((name) => name.includes(".corrupt-")).length).toBe(1);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it("answers from the files while a damaged page is in the way, and is made anew by the next opener", async () => {
    const world = indexWorld();
    for (let n = 0; n < 40; n += 1) writeRollout(world.home, thread(n));
    await (await world.open()).close();
    const path = join(world.stateDir, "index_1.sqlite");
    const bytes = statSync(path).size;
    const db = openDatabase(path);
    const page = Number(db.scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'thread'"));
    db.close();
    const fd = openSync(path, "r+");
    writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, (page - 1) * 4096);
    closeSync(fd);
    expect(statSync(path).size).toBe(bytes);
    const index = await world.open();
    const listed = await listSessions(index, everything(), world.places);
    expect(listed.sessions.length).toBe(40);
    await index.close();
    const again = await world.open();
    expect((await listSessions(again, everything(), world.places)).from).toBe("index");
  });

  it("lives in a thread of the daemon's, answers from there, and is rebuilt when its file is deleted [B40]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const worker = new IndexWorker({ stateDir: world.stateDir, version: "1", places: world.places, clock: systemClock, logger: silentLogger });
    onTestFinished(() => worker.stop());
    expect(worker.handle).toBeNull();
    worker.start();
    const index = await waitFor("the index", () => worker.handle ?? undefined);
    expect((await index.list(everything())).sessions.length).toBe(1);
    writeRollout(world.home, thread(2));
    expect(await index.refresh()).toMatchObject({ upserted: 1 });
    expect(await index.status()).toMatchObject({ threads: 2 });
    for (const name of readdirSync(world.stateDir)) rmSync(join(world.stateDir, name));
    expect(await findRollout(index, thread(1).id, { scope: "live", places: world.places, repair: true, clock: systemClock })).toMatchObject({ rollout_path: path, reason: "db_error" });
    await waitFor("the rebuilt index", async () => (await listSessions(worker.handle, everything(), world.places)).from === "index");
    await worker.stop();
    expect(worker.handle).toBeNull();
  });

  it("ends its thread when nobody asks, and starts it again for the next question", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1));
    const ends: string[] = [];
    const logger = { ...silentLogger, debug: (text: string) => void ends.push(text) };
    const worker = new IndexWorker({ stateDir: world.stateDir, version: "1", places: world.places, clock: systemClock, logger, idleMs: 100 });
    onTestFinished(() => worker.stop());
    worker.start();
    const index = await waitFor("the index", () => worker.handle ?? undefined);
    await waitFor("the end of the thread", () => ends.includes("the index thread sleeps"));
    expect(worker.handle).toBe(index);
    writeRollout(world.home, thread(2));
    expect(await index.get(thread(1).id)).not.toBeNull();
    expect(await index.refresh()).toMatchObject({ upserted: 1 });
  });
});
