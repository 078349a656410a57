import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ExecJournal, ExecRecord, ExecService } from "../../../src/lib/exec/index.ts";
import { LogReader } from "../../../src/lib/exec/index.ts";
import { findByEnv, processIdentity, sendSignal } from "../../../src/lib/platform/index.ts";
import { OPERATOR, command, execWorld, hostEntry, memoryJournal, shell, xidOf } from "../../support/exec.ts";
import { counter, kill9, laterDaemon, numbers, oneTo, readToEnd, startDaemon, wholeOutput } from "../../support/exec-load.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

function hostPid(record: { readonly dir: string }): number {
  return (JSON.parse(readFileSync(join(record.dir, "meta.json"), "utf8")) as { host_pid: number }).host_pid;
}

function neighbour(): ChildProcess {
  const child = spawn("sleep", ["1000"], { detached: true });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function startOne(service: ExecService, script = "exec sleep 1000", tty = false): Promise<ExecRecord> {
  return (await service.start(shell(script, { tty }), { yieldMs: 0 })).record;
}

/** The rows as if the service that wrote them had been killed: it goes on running here, but nobody asks it. */
function changed(journal: ExecJournal, patch: Parameters<ExecJournal["update"]>[1]): void {
  for (const row of journal.list()) journal.update(row.xid, patch);
}

// Y16, Y25 and Y30's `Origin` and `Host` are the local port's and the commands'; Y35 (zombies are dead) is platform's;
// Y37 needs a real hour: nothing in the daemon polls a host, the only timer is the collector's.

describe("a daemon that comes back", () => {
  it("finds what ended without it: code and the whole log (Y3)", async () => {
    const stateDir = tempDir("mx-");
    const { child, records } = await startDaemon(stateDir, 1, [counter(60, true), counter(60, false)]);
    await kill9(child);
    await waitFor("the ends", () => records.every((record) => existsSync(join(record.dir, "exit.json"))));
    const { service } = await laterDaemon(stateDir, 2);
    expect(await service.adopt()).toEqual({ adopted: 0, exited: 2, lost: 0 });
    for (const record of service.list()) {
      expect(record).toMatchObject({ state: "exited", exit_code: 7, reason: "exited" });
      expect(numbers(await readToEnd(service, record.process_id))).toEqual(oneTo(60));
    }
  });

  it("writes into and reads from what it took over (Y1)", async () => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    const { record } = await service.start(command(["cat"], { stdin: "pipe" }), { yieldMs: 0 });
    const later = next();
    expect((await later.adopt()).adopted).toBe(1);
    expect(await later.write(OPERATOR, record.process_id, { data: Buffer.from("hello\n"), writeId: "1", closeStdin: true })).toBe("accepted");
    expect(await readToEnd(later, record.process_id)).toBe("hello\n");
  });

  it("takes the processes from a hung one, which can write no more (Y8)", async () => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    const { record } = await service.start(command(["cat"], { stdin: "pipe" }), { yieldMs: 0 });
    await next().adopt();
    await waitFor("the old one to notice", async () => {
      const failure = await service.write(OPERATOR, record.process_id, { data: Buffer.from("x"), writeId: "1" }).catch((error: unknown) => error);
      return (failure as { code?: string }).code === "displaced";
    });
    const stale = next({ epoch: 0 });
    await stale.adopt();
    await expect(stale.write(OPERATOR, record.process_id, { data: Buffer.from("x"), writeId: "2" })).rejects.toMatchObject({ code: "displaced" });
  });

  it("gives what its crash left attached without keep an hour, and keeps the rest", async () => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    await service.openThread("task:t");
    for (const keep of [true, false]) await service.start(shell("exec sleep 1000", { threadId: "task:t", keep }), { yieldMs: 0 });
    const later = next();
    await later.adopt();
    const left = (keep: boolean): number => Date.parse(later.list().find((record) => record.keep === keep)?.expires_at ?? "") - Date.now();
    expect(later.list().map((record) => record.state)).toEqual(["detached", "detached"]);
    expect(left(false)).toBeGreaterThan(3_500_000);
    expect(left(false)).toBeLessThanOrEqual(3_600_000);
    expect(left(true)).toBeGreaterThan(23 * 3_600_000);
    expect([later.spared().size, later.spared("registered").size]).toEqual([1, 2]);
  });

  it("signals nobody after another boot (Y6)", async () => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    const record = await startOne(service);
    changed(journal, { boot_id: "00000000-0000-0000-0000-000000000000" });
    const later = next();
    expect(await later.adopt()).toEqual({ adopted: 0, exited: 0, lost: 1 });
    expect(later.list()[0]).toMatchObject({ state: "lost", reason: "reboot", exit_code: null });
    expect(processIdentity(record.pid ?? 0)).not.toBeNull();
  });

  it("registers hosts again when the database is gone; those of another installation it leaves alone (Y7)", async () => {
    const { service, next } = execWorld({ journal: memoryJournal() });
    const [mine, other] = [await startOne(service), await startOne(service)];
    const meta = join(other.dir, "meta.json");
    writeFileSync(meta, readFileSync(meta, "utf8").replace('"instance_id":"test"', '"instance_id":"other"'));
    const later = next({ journal: memoryJournal() });
    expect(await later.gc({ dryRun: true })).toMatchObject({ adopted: [xidOf(mine)], kept: [xidOf(other)] });
    expect(later.list()).toEqual([]);
    expect(await later.gc()).toMatchObject({ adopted: [xidOf(mine)], kept: [xidOf(other)] });
    expect(later.list()).toMatchObject([{ process_id: mine.process_id, state: "attached", pid: mine.pid, adopted: true }]);
    expect(processIdentity(other.pid ?? 0)).not.toBeNull();
  });

  it("finds its hosts as they were when the package was replaced meanwhile (Y9)", async () => {
    const journal = memoryJournal();
    const entry = join(dirname(hostEntry()), `replaced-${process.pid}.mjs`);
    copyFileSync(hostEntry(), entry);
    const { service, next } = execWorld({ journal, hostEntry: entry });
    const { record } = await service.start(shell("read x; echo got $x; exit 3", { tty: true }), { yieldMs: 0 });
    rmSync(entry);
    const later = next();
    expect((await later.adopt()).adopted).toBe(1);
    expect(await later.write(OPERATOR, record.process_id, { data: Buffer.from("it\n"), writeId: "1" })).toBe("accepted");
    expect(await readToEnd(later, record.process_id)).toContain("got it");
    expect((await later.find(OPERATOR, record.process_id)).exit_code).toBe(3);
  });

  it("works without any database, from the directories alone", async () => {
    const { service, next } = execWorld();
    const record = await startOne(service);
    const later = next();
    expect((await later.adopt()).adopted).toBe(1);
    expect(later.list()).toMatchObject([{ process_id: record.process_id, state: "attached" }]);
  });

  it("clears a start that was cut before its host, and one cut before its command (Y5)", async () => {
    const journal = memoryJournal();
    const { service, next, stateDir } = execWorld({ journal });
    await startOne(service, "true");
    const row = journal.list()[0];
    if (row === undefined) throw new Error("no row");
    const cut = { ...row, state: "starting" as const, host_pid: null, host_start_key: null, child_pid: null, child_start_key: null, exited_at_ms: null };
    journal.insert({ ...cut, xid: "aaaaaaaaaa", process_id: "1", dir: join(stateDir, "exec", "aaaaaaaaaa") });
    journal.insert({ ...cut, xid: "bbbbbbbbbb", process_id: "2", dir: join(stateDir, "exec", "bbbbbbbbbb") });
    mkdirSync(join(stateDir, "exec", "bbbbbbbbbb"));
    const later = next();
    await later.adopt();
    expect(later.list({ state: "failed" }).map((record) => [record.process_id, record.reason])).toEqual([["1", "spawn_error"], ["2", "spawn_error"]]);
    expect(existsSync(join(stateDir, "exec", "bbbbbbbbbb"))).toBe(false);
  });

  it("adopts or clears whatever it was starting when it was killed (Y5)", async () => {
    for (const delayMs of [60, 200]) {
      const stateDir = tempDir("mx-");
      const first = startDaemon(stateDir, 1, [shell("exec sleep 1000"), shell("exec sleep 1000", { tty: true })]).catch(() => null);
      const dir = join(stateDir, "exec");
      await waitFor("the start", () => existsSync(dir));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      for (const entry of daemonsOf(stateDir)) sendSignal(entry, "SIGKILL");
      await first;
      const { service } = await laterDaemon(stateDir, 2);
      await service.adopt();
      for (const record of service.list()) {
        expect(["attached", "failed", "lost", "exited"]).toContain(record.state);
        if (record.state !== "attached") expect(findByEnv("MULTICA_EXEC_XID", xidOf(record))).toEqual([]);
      }
      const { process_count: count } = await service.clean({ all: true, includeAttached: true, finished: true });
      expect(count).toBeGreaterThanOrEqual(0);
      expect(service.list()).toEqual([]);
      expect(readdirSync(dir).filter((name) => name !== "s")).toEqual([]);
    }
  }, 60_000);
});

/** Daemons of a state directory, by their command line. */
function daemonsOf(stateDir: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const words = readText(`/proc/${name}/cmdline`).split("\0");
    return words.some((word) => word.endsWith("exec-daemon.ts")) && words.includes(stateDir) ? [Number(name)] : [];
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

describe("a host that is killed", () => {
  it.each([true, false])("takes its command with it, tty %s; the log is read to the last whole record (Y4, Y24)", async (tty) => {
    const { service, ends, strays } = execWorld();
    const script = "echo before; trap '' HUP; setsid sleep 1000 & while :; do sleep 1; done";
    const record = await startOne(service, script, tty);
    await waitFor("output", () => wholeOutput(record.dir).text.includes("before"));
    sendSignal(hostPid(record), "SIGKILL");
    await waitFor("the loss", async () => (await service.find(OPERATOR, record.process_id)).state === "lost", 7000);
    expect(strays(xidOf(record))).toEqual([]);
    expect(service.list()[0]).toMatchObject({ reason: "host_lost", exit_code: null });
    expect(ends).toMatchObject([{ exitCode: -1 }]);
    expect(ends[0]?.output).toContain("before");
    expect(new LogReader(record.dir).next(1)[0]?.seq).toBe(1);
    expect((await service.read(OPERATOR, record.process_id, { yieldMs: 0 })).output.output).toContain("before");
  });

  it("never makes us signal a neighbour that has the number now (Y4)", async () => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    const record = await startOne(service, "exec sleep 1000");
    const [first, second] = [neighbour(), neighbour()];
    sendSignal(hostPid(record), "SIGKILL");
    await waitFor("the loss", async () => (await service.find(OPERATOR, record.process_id)).state === "lost");
    // The recorded numbers are taken by strangers: same pids, other starts.
    changed(journal, { state: "attached", exited_at_ms: null, host_pid: first.pid ?? 0, child_pid: second.pid ?? 0 });
    const later = next();
    expect((await later.adopt()).lost).toBe(1);
    expect(await later.terminate(OPERATOR, record.process_id, { force: true })).toBe(false);
    await later.gc();
    expect([first, second].map((child) => processIdentity(child.pid ?? 0) !== null && child.exitCode === null && child.signalCode === null)).toEqual([true, true]);
  });

  it("is known as dead, and its command is ended, when its directory was removed under it", async () => {
    const { service, strays } = execWorld();
    const record = await startOne(service);
    renameSync(record.dir, `${record.dir}.away`);
    rmSync(`${record.dir}.away`, { recursive: true });
    await service.gc();
    await waitFor("the end", () => strays(xidOf(record)).length === 0);
    expect(["lost", "exited"]).toContain((await service.find(OPERATOR, record.process_id)).state);
  });
});
