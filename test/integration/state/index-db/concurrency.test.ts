import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { withIndex } from "../../../../src/cli/session-index.ts";
import { openDatabase, systemClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import { listSessions } from "../../../../src/lib/state/index.ts";
import { openIndexReader } from "../../../../src/lib/state/index-db/open.ts";
import { INDEX_MIGRATIONS } from "../../../../src/lib/state/index-db/schema.ts";
import { type IndexWorld, everything, indexWorld } from "../../../support/index-db.ts";
import { threadId, writeRollout } from "../../../support/rollouts.ts";
import { waitFor } from "../../../support/wait.ts";

const AT = Date.UTC(2026, 0, 27, 11, 22, 33);
const SCRIPT = join(import.meta.dirname, "process.ts");

interface Running {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly ended: Promise<{ stderr: string }>;
}

function start(what: string, world: IndexWorld, waitMs = 30_000): Running {
  const child = spawn(process.execPath, [SCRIPT, what, world.stateDir, world.home, String(waitMs)], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: Record<string, unknown>[] = [];
  let rest = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((part) => JSON.parse(part) as Record<string, unknown>));
  });
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return { child, lines, ended: new Promise((resolve) => child.on("close", () => resolve({ stderr }))) };
}

function fill(world: IndexWorld, count: number): void {
  for (let n = 0; n < count; n += 1) writeRollout(world.home, { id: threadId(AT + n * 1000, n), at: AT + n * 1000 });
}

describe("several processes and one fresh index", () => {
  it("is migrated once, filled once, and all eight see the same rows and no lock [judged 4, B3]", async () => {
    const world = indexWorld();
    fill(world, 400);
    const all = Array.from({ length: 8 }, () => start("open", world));
    const ends = await Promise.all(all.map((one) => one.ended));
    expect(ends.map((end) => end.stderr)).toEqual(all.map(() => ""));
    const answers = all.map((one) => one.lines[0]);
    expect(answers.map((answer) => answer?.["error"])).toEqual(all.map(() => undefined));
    expect(answers.reduce((sum, answer) => sum + Number(answer?.["read"]), 0)).toBe(400);
    const [first] = answers;
    expect((first?.["threads"] as string[]).length).toBe(400);
    for (const answer of answers) expect(answer?.["threads"]).toEqual(first?.["threads"]);
    const db = openDatabase(join(world.stateDir, "index_1.sqlite"), { readOnly: true });
    expect(db.scalar("SELECT count(*) FROM migration")).toBe(1);
    expect(db.scalar("PRAGMA integrity_check")).toBe("ok");
    expect(db.scalar("SELECT count(*) FROM lease")).toBe(0);
    db.close();
  }, 40_000);

  it("waits for another process's backfill and then uses its rows [A2]", async () => {
    const world = indexWorld();
    fill(world, 450);
    const slow = start("fill", world);
    await waitFor("the first batch", () => slow.lines.some((line) => "written" in line));
    let waited = 0;
    const index = await world.open({ onWait: ({ pid }) => (waited = pid) });
    expect(waited).toBe(slow.child.pid);
    expect((await index.list(everything())).sessions.length).toBe(450);
    await slow.ended;
    expect(slow.lines.at(-1)).toMatchObject({ read: 450 });
  }, 40_000);

  it("gives up after its limit, naming who holds it, when the other never finishes [A3, B30]", async () => {
    const world = indexWorld();
    fill(world, 450);
    const slow = start("fill", world);
    await waitFor("the first batch", () => slow.lines.some((line) => "written" in line));
    slow.child.kill("SIGSTOP");
    const text = new RegExp(`timed out waiting.*process ${slow.child.pid}`);
    await expect(world.open({ waitMs: 600 })).rejects.toMatchObject({ code: "index_backfill_timeout", message: expect.stringMatching(text) as string });
    // A command works without it, and says so.
    const notes: string[] = [];
    const use = { stateDir: world.stateDir, places: world.places, waitMs: 300, note: (line: string) => void notes.push(line) };
    expect(await withIndex(use, (index) => listSessions(index, everything(), world.places))).toMatchObject({ from: "files", sessions: { length: 450 } });
    expect(notes).toEqual([expect.stringContaining(`Waiting for process ${slow.child.pid}`), expect.stringMatching(text)]);
    slow.child.kill("SIGCONT");
    await slow.ended;
    expect(slow.lines.at(-1)).toMatchObject({ read: 450 });
  }, 40_000);

  it("takes over at once from one that was killed, and does not read again what it had written [B29, A14]", async () => {
    const world = indexWorld();
    fill(world, 450);
    const slow = start("fill", world);
    await waitFor("the first batch", () => slow.lines.some((line) => "written" in line));
    slow.child.kill("SIGKILL");
    await slow.ended;
    const written = Number(slow.lines[0]?.["written"]);
    expect(written).toBeGreaterThan(0);
    let read = 0;
    const index = await world.open({ waitMs: 0, onFilled: (stats) => (read = stats.upserted) });
    expect(read).toBeLessThanOrEqual(450 - written);
    expect((await index.list(everything())).sessions.length).toBe(450);
    const whole = openDatabase(join(world.stateDir, "index_1.sqlite"), { readOnly: true });
    expect(whole.scalar("SELECT watermark FROM scan_root")).toBe(readdirSync(join(world.home, "sessions"), { recursive: true }).map(String).filter((name) => name.endsWith(".jsonl")).sort().at(-1));
    whole.close();
  }, 40_000);

  it("replaces a writer that lives but has been silent for longer than its lease, which then stops [A13, B30]", async () => {
    const world = indexWorld();
    fill(world, 450);
    const slow = start("fill", world);
    await waitFor("the first batch", () => slow.lines.some((line) => "written" in line));
    slow.child.kill("SIGSTOP");
    const db = openDatabase(join(world.stateDir, "index_1.sqlite"));
    db.exec("UPDATE lease SET renewed_at_ms = renewed_at_ms - 120000");
    db.close();
    const index = await world.open({ waitMs: 0 });
    expect((await index.list(everything())).sessions.length).toBe(450);
    slow.child.kill("SIGCONT");
    await slow.ended;
    expect(slow.lines.at(-1)).toMatchObject({ error: "index_lease_lost" });
  }, 40_000);
});

describe("an index that a later program wrote", () => {
  const [first] = INDEX_MIGRATIONS;
  if (first === undefined) throw new Error("no migrations");
  const later = (minWriter: number) => [...INDEX_MIGRATIONS, { version: 2, name: "later", sql: "ALTER TABLE thread ADD COLUMN of_tomorrow TEXT", minReader: 1, minWriter }];

  it("is used when that program allows it, and refused, untouched, when it does not [A17]", async () => {
    const world = indexWorld();
    fill(world, 3);
    await (await world.open({ migrations: later(1) })).close();
    const index = await world.open();
    expect((await index.list(everything())).sessions.length).toBe(3);
    await index.close();
    const other = indexWorld();
    fill(other, 3);
    await (await other.open({ migrations: later(2) })).close();
    await expect(other.open()).rejects.toMatchObject({ code: "state_newer" });
    const reader = openIndexReader({ stateDir: other.stateDir, clock: systemClock, logger: silentLogger, places: other.places });
    expect((await reader?.list(everything()))?.sessions.length).toBe(3);
    await reader?.close();
  });
});

describe("openIndexReader", () => {
  it("answers null and changes nothing without an index and with one that is not complete [A12]", async () => {
    const world = indexWorld();
    fill(world, 2);
    const reader = () => openIndexReader({ stateDir: world.stateDir, clock: systemClock, logger: silentLogger, places: world.places });
    expect(reader()).toBeNull();
    expect(existsSync(world.stateDir)).toBe(false);
    await (await world.open()).close();
    const complete = reader();
    expect((await complete?.list(everything()))?.sessions.length).toBe(2);
    expect(await complete?.refresh()).toBeNull();
    await complete?.close();
    const db = openDatabase(join(world.stateDir, "index_1.sqlite"));
    db.exec("UPDATE scan_root SET status = 'running'");
    db.close();
    expect(reader()).toBeNull();
    // SQLite leaves the side files of a reader behind.
    expect(readdirSync(world.stateDir).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(["index_1.sqlite"]);
  });
});
