import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/lib/platform/index.ts";
import { openDatabase } from "../../../../src/lib/platform/index.ts";
import { type FindOptions, chooseThread, findRollout, listSessions, readSession, threadFiles } from "../../../../src/lib/state/index.ts";
import { everything, type IndexWorld, indexWorld } from "../../../support/index-db.ts";
import { type Thread, rolloutName, rolloutText, threadId, writeRollout } from "../../../support/rollouts.ts";

const AT = Date.UTC(2026, 0, 27, 11, 22, 33);

function thread(n: number, more: Partial<Thread> = {}): Thread {
  return { id: threadId(AT + n * 1000, n), at: AT + n * 1000, ...more };
}

function live(world: IndexWorld, more: Partial<FindOptions> = {}): FindOptions & { clock: typeof systemClock } {
  return { scope: "live", places: world.places, repair: true, clock: systemClock, ...more };
}

/** Makes a thread's row lead to another file, as a stale index would. */
function point(world: IndexWorld, id: string, path: string): void {
  const db = openDatabase(join(world.stateDir, "index_1.sqlite"));
  db.prepare("UPDATE OR REPLACE rollout SET path = :path WHERE thread_id = :id").run({ path, id });
  db.prepare("UPDATE thread SET rollout_path = :path WHERE thread_id = :id").run({ path, id });
  db.close();
}

describe("findRollout with an index", () => {
  it("has the row of an older thread before the opener returns [A1]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1, { text: "Fix the build" }));
    const index = await world.open();
    expect(await index.get(thread(1).id)).toMatchObject({ thread_id: thread(1).id, rollout_path: path, title: "Fix the build", tokens_used: 100 });
  });

  it("returns a row's file of any name when it cannot be verified and nothing else carries the id [A4]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const index = await world.open();
    const custom = join(world.home, "sessions", "custom-rollout-name.jsonl");
    rmSync(path);
    writeFileSync(custom, "");
    point(world, thread(1).id, custom);
    expect(await findRollout(index, thread(1).id, live(world))).toMatchObject({ rollout_path: custom, verified: false, via: "unverified" });
  });

  it("prefers a verified row of any name and place over a file found by name [A8]", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1));
    const index = await world.open();
    const custom = writeRollout(world.home, thread(1, { text: "the one of the row" }), { path: "elsewhere/custom-rollout-name.jsonl" });
    point(world, thread(1).id, custom);
    expect(await findRollout(index, thread(1).id, live(world))).toMatchObject({ rollout_path: custom, verified: true, via: "index", reason: null });
  });

  it("does not take another thread's file, finds the right one and rebuilds both rows [A5, A9]", async () => {
    const world = indexWorld();
    const right = writeRollout(world.home, thread(1, { text: "the right one", cwd: "/srv/right" }));
    const wrong = writeRollout(world.home, thread(2, { text: "another one" }));
    const index = await world.open();
    point(world, thread(1).id, wrong);
    const found = await findRollout(index, thread(1).id, live(world));
    expect(found).toMatchObject({ rollout_path: right, verified: true, via: "search", repaired: true, reason: "mismatch" });
    expect(await index.get(thread(1).id)).toMatchObject({ rollout_path: right, title: "the right one", cwd: "/srv/right" });
    expect(await index.get(thread(2).id)).toMatchObject({ rollout_path: wrong, title: "another one" });
    expect(await findRollout(index, thread(1).id, live(world))).toMatchObject({ via: "index", repaired: false, reason: null });
  });

  it("follows a file that was moved and repairs the row [A6]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const index = await world.open();
    const moved = join(world.home, "sessions", "2025", "12", "31", rolloutName(thread(1)));
    mkdirSync(join(moved, ".."), { recursive: true });
    renameSync(path, moved);
    expect(await findRollout(index, thread(1).id, live(world))).toMatchObject({ rollout_path: moved, verified: true, reason: "stale_path", repaired: true });
    expect((await index.get(thread(1).id))?.rollout_path).toBe(moved);
  });

  it("finds a file the index does not know and makes its row [A7]", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1));
    const index = await world.open();
    const path = writeRollout(world.home, thread(2));
    expect(await findRollout(index, thread(2).id, live(world))).toMatchObject({ rollout_path: path, reason: "missing_row", repaired: true });
    expect((await index.get(thread(2).id))?.rollout_path).toBe(path);
  });

  it("leaves the index alone when asked to", async () => {
    const world = indexWorld();
    writeRollout(world.home, thread(1));
    const index = await world.open();
    writeRollout(world.home, thread(2));
    expect(await findRollout(index, thread(2).id, live(world, { repair: false }))).toMatchObject({ reason: "missing_row", repaired: false });
    expect(await index.get(thread(2).id)).toBeNull();
  });

  it("answers nothing for a text that is no thread id, and for a thread that is nowhere", async () => {
    const world = indexWorld();
    const index = await world.open();
    expect(await findRollout(index, "nonsense", live(world))).toBeNull();
    expect(await findRollout(index, thread(9).id, live(world))).toBeNull();
  });

  it("does not let a broken row keep a rollout from being found", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    const index = await world.open();
    await index.close();
    expect(await findRollout(index, thread(1).id, live(world))).toMatchObject({ rollout_path: path, verified: true, reason: "db_error" });
  });

  it("keeps to the scope: live, archived, or one after the other", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1), { path: `archived_sessions/${rolloutName(thread(1))}` });
    const index = await world.open();
    expect(await findRollout(index, thread(1).id, live(world))).toBeNull();
    expect(await findRollout(index, thread(1).id, live(world, { scope: "archived" }))).toMatchObject({ rollout_path: path, archived: true });
    expect(await findRollout(index, thread(1).id, live(world, { scope: "any" }))).toMatchObject({ rollout_path: path, archived: true });
  });

  it("keeps a live thread live when a stale copy lies in the archive [A19]", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1));
    writeRollout(world.home, thread(1, { turns: 3 }), { path: `archived_sessions/${rolloutName(thread(1))}` });
    const index = await world.open();
    expect(await index.get(thread(1).id)).toMatchObject({ archived: false, rollout_path: path });
  });
});

// A15 (a command that prints a prompt must make no database): there is no such command here. A1-A19 together are B37.
describe("everybody who takes an index or null", () => {
  it("answers from the files with null, and makes no database, neither in the home nor beside it [A11]", async () => {
    const world = indexWorld();
    const { places } = world;
    const id = threadId(AT, 1);
    const path = writeRollout(world.home, { id, at: AT, text: "Fix it" });
    writeFileSync(join(world.home, "session_index.jsonl"), `${JSON.stringify({ id, thread_name: "By hand", updated_at: new Date(AT).toISOString() })}\n`);
    const before = readdirSync(world.root, { recursive: true }).map(String).sort();
    const found = await findRollout(null, id, { scope: "any", places, repair: true, clock: systemClock });
    expect(found).toMatchObject({ rollout_path: path, via: "search", reason: "no_index", repaired: false });
    expect(await chooseThread(null, places, id.slice(0, 18))).toBe(id);
    expect(await threadFiles(null, id, { places, clock: systemClock })).toEqual([{ path, archived: false, verified: true }]);
    expect(await listSessions(null, everything(), places)).toMatchObject({ from: "files", sessions: [{ thread_id: id, name: "By hand" }] });
    if (found !== null) expect(await readSession(null, found, places)).toMatchObject({ thread_id: id, name: "By hand", title: "Fix it" });
    expect(readdirSync(world.root, { recursive: true }).map(String).sort()).toEqual(before);
  });
});

describe("findRollout without an index", () => {
  it("finds a rollout by its name, wherever it lies, and says that there was no index", async () => {
    const world = indexWorld();
    const near = writeRollout(world.home, thread(1));
    const far = writeRollout(world.home, thread(2), { path: join("sessions", "2020", "01", "01", rolloutName(thread(2))) });
    expect(await findRollout(null, thread(1).id, live(world))).toMatchObject({ rollout_path: near, via: "search", reason: "no_index", repaired: false });
    expect(await findRollout(null, thread(2).id, live(world))).toMatchObject({ rollout_path: far });
    expect(existsSync(world.stateDir)).toBe(false);
  });

  it("believes the record in a file, not the ids in its name", async () => {
    const world = indexWorld();
    const [one, two] = [thread(1), thread(2)];
    const both = `rollout-2026-01-27T11-22-34-${one.id}-${two.id}.jsonl`;
    const path = writeRollout(world.home, one, { path: join("sessions", "2026", "01", "27", both) });
    expect(await findRollout(null, one.id, live(world))).toMatchObject({ rollout_path: path, verified: true });
    expect(await findRollout(null, two.id, live(world))).toBeNull();
    const index = await world.open();
    expect(await index.get(one.id)).toMatchObject({ rollout_path: path });
    expect(await index.get(two.id)).toBeNull();
  });

  it("takes a canonical name for its word only when no record says otherwise", async () => {
    const world = indexWorld();
    const path = writeRollout(world.home, thread(1), { text: "" });
    expect(await findRollout(null, thread(1).id, live(world))).toMatchObject({ rollout_path: path, verified: false });
    writeFileSync(path, rolloutText(thread(2)));
    expect(await findRollout(null, thread(1).id, live(world))).toBeNull();
  });

  it("lists the same threads as the index does, page by page [A10]", async () => {
    const world = indexWorld();
    for (let n = 0; n < 12; n += 1) writeRollout(world.home, thread(n, { text: n % 3 === 0 ? `The Needle ${n}` : `hay ${n}` }));
    const index = await world.open();
    for (const query of [everything({ search: "needle" }), everything({ limit: 5 }), everything({ sort: "created", ascending: true, limit: 7 })]) {
      let [left, right] = [await listSessions(index, query, world.places), await listSessions(null, query, world.places)];
      expect(left.from).toBe("index");
      for (;;) {
        expect(right.sessions).toEqual(left.sessions);
        expect(right.next_cursor).toBe(left.next_cursor);
        if (left.next_cursor === null) break;
        const next = { ...query, cursor: left.next_cursor };
        [left, right] = [await listSessions(index, next, world.places), await listSessions(null, next, world.places)];
      }
    }
  });
});
