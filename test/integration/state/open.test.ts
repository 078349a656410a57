import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { type OpenStateOptions, openState, openStateReader } from "../../../src/lib/state/open.ts";
import { MIGRATIONS } from "../../../src/lib/state/schema.ts";
import { tempDir } from "../../support/temp.ts";
import { SECOND } from "./migrations.ts";

const worker = join(import.meta.dirname, "worker.ts");
const KNOWN = MIGRATIONS.length;
const BACKUP = `state_1.sqlite.${KNOWN}-${KNOWN + 1}.bak`;

function options(stateDir: string, patch: Partial<OpenStateOptions> = {}): OpenStateOptions {
  return { stateDir, version: "1.0.0", clock: systemClock, logger: silentLogger, ...patch };
}

async function opened(stateDir: string, patch: Partial<OpenStateOptions> = {}) {
  const state = await openState(options(stateDir, patch));
  onTestFinished(() => state.close());
  return state;
}

function run(what: string, stateDir: string): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [worker, what, stateDir], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

/** Changes the file behind the product's back. */
function tamper(stateDir: string, sql: string): void {
  const db = openDatabase(join(stateDir, "state_1.sqlite"));
  db.exec(sql);
  db.close();
}

describe("openState", () => {
  it("makes a private file with the settings that protect its content", async () => {
    const dir = tempDir();
    const state = await opened(dir);
    expect(state.path).toBe(join(dir, "state_1.sqlite"));
    expect(state.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    for (const name of readdirSync(dir)) expect([name, statSync(join(dir, name)).mode & 0o777]).toEqual([name, 0o600]);
    const db = openDatabase(state.path);
    const values = ["journal_mode", "auto_vacuum", "user_version"].map((pragma) => db.scalar(`PRAGMA ${pragma}`));
    db.close();
    expect(values).toEqual(["wal", 2, MIGRATIONS.length]);
  });

  // B7 asks for Node 22.13 as well: with MULTICA_OLDEST_NODE the built program is run on it (integration/cli/sessions.test.ts).
  it("says nothing on stderr, no warning of an experiment either [B7]", async () => {
    expect(await run("open", tempDir())).toMatchObject({ code: 0, err: "" });
  });

  it("has a sound file: the check of SQLite's own answers one line [A16]", async () => {
    const state = await opened(tempDir());
    const db = openDatabase(state.path, { readOnly: true });
    expect(db.prepare("PRAGMA integrity_check").all().map((row) => Object.values(row))).toEqual([["ok"]]);
    db.close();
  });

  it("keeps the instance and leaves no side files after a clean close", async () => {
    const dir = tempDir();
    const first = await openState(options(dir));
    first.close();
    first.close();
    expect(readdirSync(dir)).toEqual(["state_1.sqlite"]);
    expect((await opened(dir)).instanceId).toBe(first.instanceId);
  });

  it("uses a rollback journal when told to", async () => {
    const state = await opened(tempDir(), { journalMode: "delete" });
    const db = openDatabase(state.path);
    expect(db.scalar("PRAGMA journal_mode")).toBe("delete");
    db.close();
  });

  it("gives eight processes that start at once one schema and no error [B3]", async () => {
    const dir = tempDir();
    const results = await Promise.all(Array.from({ length: 8 }, () => run("open", dir)));
    expect(results.map((result) => [result.code, result.err])).toEqual(Array(8).fill([0, ""]));
    expect(new Set(results.map((result) => result.out)).size).toBe(1);
    const db = openDatabase(join(dir, "state_1.sqlite"));
    expect(db.prepare("SELECT version FROM migration").all()).toHaveLength(MIGRATIONS.length);
    db.close();
  });

  it("lets eight processes migrate an existing file at once, with a backup of the old schema", async () => {
    const dir = tempDir();
    (await openState(options(dir))).close();
    const results = await Promise.all(Array.from({ length: 8 }, () => run("upgrade", dir)));
    expect(results.map((result) => [result.code, result.err])).toEqual(Array(8).fill([0, ""]));
    const backup = join(dir, BACKUP);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    const copy = openDatabase(backup, { readOnly: true });
    expect(copy.scalar("PRAGMA user_version")).toBe(KNOWN);
    copy.close();
    expect(readdirSync(dir).sort()).toEqual(["state_1.sqlite", BACKUP]);
  });

  it("survives a kill in the middle of a migration: old schema, backup there, next start migrates [B9]", async () => {
    const dir = tempDir();
    (await openState(options(dir))).close();
    const result = spawnSync(process.execPath, [worker, "die-migrating", dir]);
    expect(result.signal).toBe("SIGKILL");
    expect(existsSync(join(dir, BACKUP))).toBe(true);
    const db = openDatabase(join(dir, "state_1.sqlite"));
    expect([db.scalar("PRAGMA user_version"), db.scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'note'")]).toEqual([KNOWN, 0]);
    db.close();
    await opened(dir, { migrations: [...MIGRATIONS, SECOND] });
    const after = openDatabase(join(dir, "state_1.sqlite"));
    expect(after.scalar("PRAGMA user_version")).toBe(KNOWN + 1);
    after.close();
  });

  it("keeps the last two backups", async () => {
    const dir = tempDir();
    for (const [index, name] of ["state_1.sqlite.0-8.bak", "state_1.sqlite.0-9.bak", "state_1.sqlite.x.txt"].entries()) {
      writeFileSync(join(dir, name), "");
      spawnSync("touch", ["-d", `2020-01-0${index + 1}`, join(dir, name)]);
    }
    (await openState(options(dir))).close();
    await opened(dir, { migrations: [...MIGRATIONS, SECOND] });
    expect(readdirSync(dir).filter((name) => name.endsWith(".bak")).sort()).toEqual(["state_1.sqlite.0-9.bak", BACKUP]);
  });

  it("applies all of several missing steps or none", async () => {
    const dir = tempDir();
    (await openState(options(dir))).close();
    const broken = { ...SECOND, version: KNOWN + 2, name: "broken", sql: "CREATE TABLE task (x TEXT) STRICT;" };
    await expect(openState(options(dir, { migrations: [...MIGRATIONS, SECOND, broken] }))).rejects.toMatchObject({ code: "state_failed" });
    const db = openDatabase(join(dir, "state_1.sqlite"));
    expect([db.scalar("PRAGMA user_version"), db.scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'note'")]).toEqual([KNOWN, 0]);
    db.close();
  });

  it("refuses a step whose content is not the known one", async () => {
    const dir = tempDir();
    (await openState(options(dir))).close();
    tamper(dir, "UPDATE migration SET checksum = 'other'");
    await expect(openState(options(dir))).rejects.toMatchObject({ code: "state_mismatch" });
    expect(() => openStateReader({ stateDir: dir })).toThrow("with other content");
  });

  it("works with a newer file that allows it, and refuses one that does not, naming the version [B8]", async () => {
    const dir = tempDir();
    const newer = (minReader: number, minWriter: number) => [...MIGRATIONS, { ...SECOND, minReader, minWriter }];
    (await openState(options(dir, { version: "9.9.9", migrations: newer(1, KNOWN) }))).close();
    (await openState(options(dir))).close();
    tamper(dir, `UPDATE meta SET value = '${KNOWN + 1}' WHERE key = 'min_writer'`);
    await expect(openState(options(dir))).rejects.toMatchObject({ code: "state_newer", message: expect.stringContaining("9.9.9") as string });
    const reader = openStateReader({ stateDir: dir });
    expect(reader?.listTasks()).toEqual([]);
    reader?.close();
    tamper(dir, `UPDATE meta SET value = '${KNOWN + 1}' WHERE key = 'min_reader'`);
    expect(() => openStateReader({ stateDir: dir })).toThrow("cannot be read by this version");
  });

  it("refuses a file of something else and leaves it as it is", async () => {
    const dir = tempDir();
    tamper(dir, "CREATE TABLE mine (x TEXT); INSERT INTO mine VALUES ('keep')");
    await expect(openState(options(dir))).rejects.toMatchObject({ code: "state_foreign" });
    const db = openDatabase(join(dir, "state_1.sqlite"));
    expect(db.scalar("SELECT x FROM mine")).toBe("keep");
    db.close();
  });

  it("refuses a directory that every user can write to, unless it is sticky", async () => {
    const dir = join(tempDir(), "open");
    mkdirSync(dir);
    chmodSync(dir, 0o777);
    await expect(openState(options(dir))).rejects.toMatchObject({ code: "state_refused", message: expect.stringContaining(dir) as string });
    chmodSync(dir, 0o1777);
    await opened(dir);
  });

  it.skipIf(process.getuid?.() !== 0)("refuses a file of another user, to write and to read", async () => {
    const dir = tempDir();
    (await openState(options(dir))).close();
    chownSync(join(dir, "state_1.sqlite"), 12_345, 12_345);
    await expect(openState(options(dir))).rejects.toMatchObject({ code: "state_refused", message: expect.stringContaining("belongs to another user") as string });
    expect(() => openStateReader({ stateDir: dir })).toThrow("belongs to another user");
  });

  it("refuses a link in place of the file", async () => {
    const dir = tempDir();
    symlinkSync(join(dir, "elsewhere"), join(dir, "state_1.sqlite"));
    await expect(openState(options(dir))).rejects.toMatchObject({ code: "state_refused" });
    expect(existsSync(join(dir, "elsewhere"))).toBe(false);
  });

  it("takes a file with a wide mode back to its owner alone", async () => {
    const dir = tempDir();
    (await openState(options(dir))).close();
    chmodSync(join(dir, "state_1.sqlite"), 0o644);
    const state = await opened(dir);
    expect(statSync(state.path).mode & 0o777).toBe(0o600);
  });
});

describe("openStateReader", () => {
  it("makes nothing where nothing is", () => {
    const dir = tempDir();
    expect(openStateReader({ stateDir: dir })).toBeNull();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("does not migrate an empty file", () => {
    const dir = tempDir();
    writeFileSync(join(dir, "state_1.sqlite"), "", { mode: 0o600 });
    expect(() => openStateReader({ stateDir: dir })).toThrow("not readable until the daemon has started once");
    expect(statSync(join(dir, "state_1.sqlite")).size).toBe(0);
  });
});
