import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../../src/lib/platform/index.ts";
import { codexDatabase, sqliteHome } from "../../../../src/lib/state/index-db/foreign.ts";
import { tempDir } from "../../../support/temp.ts";

describe("codexDatabase", () => {
  it("reads the highest generation and leaves nothing behind", () => {
    const home = tempDir();
    for (const generation of [4, 5]) {
      const db = openDatabase(join(home, `state_${generation}.sqlite`));
      db.exec("PRAGMA journal_mode=WAL; CREATE TABLE threads (id TEXT PRIMARY KEY, a_column_of_tomorrow TEXT); CREATE TABLE backfill_state (id INTEGER, status TEXT)");
      db.exec(`INSERT INTO threads (id) VALUES ('a'), ('b'); INSERT INTO backfill_state VALUES (1, 'complete')`);
      db.close();
    }
    const before = readdirSync(home);
    expect(codexDatabase(home)).toEqual({ home, path: join(home, "state_5.sqlite"), generation: 5, threads: 2, backfill: "complete", error: null });
    expect(readdirSync(home)).toEqual(before);
  });

  it("reads beside a process that writes, and does not keep it from tidying its log [B38]", () => {
    const home = tempDir();
    const codex = openDatabase(join(home, "state_5.sqlite"));
    codex.exec("PRAGMA journal_mode=WAL; CREATE TABLE threads (id TEXT PRIMARY KEY)");
    for (let n = 0; n < 50; n += 1) {
      codex.transaction(() => codex.exec(`INSERT INTO threads (id) VALUES ('${n}')`));
      expect(codexDatabase(home)?.threads).toBe(n + 1);
    }
    // busy = 0: no reader was in the way.
    expect(codex.scalar("PRAGMA wal_checkpoint(TRUNCATE)")).toBe(0);
    codex.close();
  });

  it("looks where Codex keeps it: its own setting, else the environment's, else the home", async () => {
    const home = tempDir();
    const elsewhere = tempDir();
    const db = openDatabase(join(elsewhere, "state_5.sqlite"));
    db.exec("CREATE TABLE threads (id TEXT PRIMARY KEY); INSERT INTO threads VALUES ('a')");
    db.close();
    expect(await sqliteHome(home, {})).toBe(home);
    expect(await sqliteHome(home, { CODEX_SQLITE_HOME: elsewhere })).toBe(elsewhere);
    writeFileSync(join(home, "config.toml"), `model = "x"\nsqlite_home = ${JSON.stringify(elsewhere)}\n`);
    expect(await sqliteHome(home, { CODEX_SQLITE_HOME: "/nowhere" })).toBe(elsewhere);
    expect(codexDatabase(home, elsewhere)).toMatchObject({ home, path: join(elsewhere, "state_5.sqlite"), threads: 1 });
    writeFileSync(join(home, "config.toml"), "sqlite_home = [broken");
    expect(await sqliteHome(home, {})).toBe(home);
  });

  it("says what is wrong with garbage, and nothing for a home without one", () => {
    const home = tempDir();
    expect(codexDatabase(home)).toBeNull();
    mkdirSync(join(home, "x"));
    writeFileSync(join(home, "state_7.sqlite"), "garbage ".repeat(1000));
    expect(codexDatabase(home)).toMatchObject({ generation: 7, threads: null, error: expect.stringContaining("not a database") as string });
  });
});
