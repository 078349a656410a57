import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backUpFile, checkFiles, compactFile, readStatus, salvageFile } from "../../../src/cli/state-file.ts";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { checkText, salvageText, stateText } from "../../../src/views/state.ts";
import { runCli } from "../../support/cli.ts";
import { indexWorld } from "../../support/index-db.ts";
import { rolloutText, threadId, writeRollout } from "../../support/rollouts.ts";
import { tempDir } from "../../support/temp.ts";
import { testOutbox, texts } from "../../support/outbox.ts";

/** A state file with two reports that wait and one that was refused. */
async function usedFile(): Promise<string> {
  const { dir, sink, state, outbox, task, die } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
  task("t1");
  await sink.messages("t1", [texts(1, 2)]);
  await sink.messages("t1", [texts(3, 1)]);
  await sink.terminal({ kind: "complete", taskId: "t1", body: { output: "secret words" } });
  const first = outbox.lanes.get("t1")?.entries[0];
  if (first !== undefined) state.outbox.bury(first, { status: 400, error: "no" });
  state.endRun("clean");
  die();
  return dir;
}

describe("state status", () => {
  it("shows what waits and what was given up, and never a body", async () => {
    const stateDir = await usedFile();
    const status = await readStatus({ stateDir, dead: true, lane: "t1" });
    expect(status.state).toMatchObject({ schema: expect.any(Number) as number, open_by: null, tasks: { reporting: 1 }, outbox: { dead: 1, results: 1 } });
    expect(status.dead).toMatchObject([{ lane: "t1", kind: "messages", last_status: 400, last_error: "no" }]);
    expect(status.lane?.map((one) => one.kind)).toEqual(["messages", "messages", "complete"]);
    expect(JSON.stringify(status) + stateText(status)).not.toContain("secret words");
    expect(stateText(status)).toContain("2 reports since");
  });

  it("ends with 1 and says so when the index of sessions is missing, and with 0 once it is there; tells how far its filling is", async () => {
    const stateDir = await usedFile();
    const home = tempDir();
    mkdirSync(join(home, ".codex", "sessions"), { recursive: true });
    const at = { home, env: { MULTICA_HOME: stateDir } };
    const status = (): ReturnType<typeof runCli> => runCli(["state", "status"], at);
    const missing = await status();
    expect(missing.stdout).toContain("! there is no index of sessions that can be read (multica state backfill makes it)");
    expect(missing.code).toBe(1);
    expect((await runCli(["state", "backfill"], at)).code).toBe(0);
    const there = await status();
    // The reports of this file wait since a time that the held clock made up.
    expect(there.stdout).not.toContain("no index of sessions");
    expect(there.stdout).toMatch(/index_1\.sqlite \(.* threads of \d+ homes\)/);
    const db = openDatabase(join(stateDir, "index_1.sqlite"));
    db.exec("UPDATE scan_root SET status = 'running'");
    db.close();
    expect((await status()).stdout).toMatch(/; being filled, 0 of \d+ directories done\)/);
  });

  it("makes nothing where nothing is", async () => {
    const stateDir = tempDir();
    const status = await readStatus({ stateDir, dead: false });
    expect([status.state, readdirSync(stateDir)]).toEqual([null, []]);
    expect(stateText(status)).toContain("none yet");
  });

  it("says that a report has waited too long, and that a daemon died", async () => {
    const { dir, sink, clock, task } = await testOutbox({ url: "http://127.0.0.1:1", started: false });
    task("t1");
    await sink.messages("t1", [texts(1, 1)]);
    // The held clock stands in the past of this machine's.
    expect(clock.now()).toBeLessThan(Date.now() - 600_000);
    const { degraded } = await readStatus({ stateDir: dir, dead: false });
    expect(degraded).toEqual([expect.stringContaining("more than ten minutes"), expect.stringContaining("no index of sessions")]);
  });
});

describe("state check and salvage", () => {
  it("finds a sound file sound, copies it, and compacts it", async () => {
    const stateDir = await usedFile();
    const backup = join(stateDir, "copy.sqlite");
    expect(await checkFiles({ stateDir, full: true, all: false })).toEqual({ state: { ok: true, findings: [] }, index: null, actions: [] });
    expect(await backUpFile(stateDir, backup)).toBe(true);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    await expect(backUpFile(stateDir, backup)).rejects.toMatchObject({ code: "exists", exit: 7 });
    await compactFile({ stateDir, profile: "", full: true });
    expect(checkText(await checkFiles({ stateDir, full: true, all: false }))).toBe("The state file is sound.\nThere is no index of sessions.\n");
  });

  it("names damage, and rebuilds the file with everything that can be read", async () => {
    const stateDir = await usedFile();
    const path = join(stateDir, "state_1.sqlite");
    const bytes = readFileSync(path);
    bytes.fill(0, 0, 4096);
    writeFileSync(path, bytes);
    expect((await checkFiles({ stateDir, full: false, all: false })).state).toMatchObject({ ok: false, findings: [{ code: "damage" }] });
    const salvage = await salvageFile({ stateDir, profile: "" });
    expect(salvage?.tables["outbox"]).toEqual({ saved: 3, lost: 0 });
    expect(existsSync(salvage?.kept ?? "")).toBe(true);
    expect(salvageText(salvage)).toContain("outbox");
    // Files of the index that were put aside are named as well.
    writeFileSync(join(stateDir, "index_1.sqlite.corrupt-5"), "");
    const status = await readStatus({ stateDir, dead: false });
    expect(status.state?.kept).toEqual([join(stateDir, "index_1.sqlite.corrupt-5"), salvage?.kept]);
    expect(status.last_check?.result).toContain(salvage?.kept ?? "?");
    expect(stateText(status)).toMatch(/Checked: +\S+ \S+: damaged and rebuilt; the old file is kept as/);
    expect((await checkFiles({ stateDir, full: true, all: false })).state.ok).toBe(true);
  });

  it("makes an index anew whose rows do not fit their files, and keeps the old one beside it", async () => {
    const world = indexWorld();
    const at = Date.UTC(2026, 0, 27);
    const path = writeRollout(world.home, { id: threadId(at, 1), at });
    await (await world.open()).close();
    writeFileSync(path, rolloutText({ id: threadId(at, 2), at }));
    const wish = { stateDir: world.stateDir, full: true, all: true };
    expect((await checkFiles(wish)).index).toMatchObject({ ok: false, findings: [{ code: "row", detail: expect.stringContaining(threadId(at, 2)) as string }] });
    expect(await checkFiles({ ...wish, repairIndex: world.places })).toMatchObject({ state: { ok: true }, index: { ok: true, findings: [] }, actions: ["the index was made anew"] });
    const kept = readdirSync(world.stateDir).filter((name) => name.includes(".corrupt-"));
    expect(kept).toEqual([expect.stringMatching(/^index_1\.sqlite\.corrupt-\d+$/)]);
    expect(statSync(join(world.stateDir, kept[0] ?? "")).mode & 0o777).toBe(0o600);
  });

  it("touches nothing while a daemon holds the directory", async () => {
    const stateDir = await usedFile();
    const { holdStateDir } = await import("../../../src/lib/daemon/single.ts");
    const lock = await holdStateDir(stateDir, "");
    await expect(salvageFile({ stateDir, profile: "" })).rejects.toMatchObject({ code: "already_running", exit: 7 });
    lock.release();
  });
});
