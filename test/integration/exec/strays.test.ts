import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { EXEC_MARKER, type ExecRecord, type ExecService } from "../../../src/lib/exec/index.ts";
import { findByEnv, processIdentity, sendSignal, systemClock, terminateTree } from "../../../src/lib/platform/index.ts";
import { OPERATOR, execWorld, memoryJournal, shell, xidOf } from "../../support/exec.ts";
import { waitFor } from "../../support/wait.ts";

/** A command that tries to leave things behind: a group of its own, a double fork with a session of its own, deaf ones. */
const DEAF = "(trap '' TERM HUP; while :; do sleep 1; done) &\n";
const RUNAWAY = [
  "(setsid sh -c 'setsid sleep 1000 & sleep 1000' &)",
  "bash -c 'set -m; sleep 1000 & sleep 1000 & wait' &",
  "exec sleep 1000",
].join("\n");

async function start(service: ExecService, script: string, more: Parameters<typeof shell>[1] = {}): Promise<ExecRecord> {
  const { record } = await service.start(shell(script, more), { yieldMs: 0 });
  return record;
}

async function runaway(service: ExecService, strays: (xid: string) => number[], more: Parameters<typeof shell>[1] = {}, script = RUNAWAY): Promise<ExecRecord> {
  const record = await start(service, script, more);
  await waitFor("the whole family", () => strays(xidOf(record)).length >= 6);
  return record;
}

describe("nothing is left behind", () => {
  it.each([true, false])("after a clean, whatever it did to its parents, groups and signals, tty %s (Y29)", async (tty) => {
    const { service, strays } = execWorld();
    const record = await runaway(service, strays, { tty, detach: true }, DEAF + RUNAWAY);
    expect((await service.clean({ all: true })).process_ids).toEqual([record.process_id]);
    expect(strays(xidOf(record))).toEqual([]);
    expect([existsSync(record.dir), processIdentity(record.pid ?? 0)]).toEqual([false, null]);
  });

  it("after its time is over", async () => {
    const { service, strays } = execWorld();
    const record = await runaway(service, strays);
    await service.detach(OPERATOR, { ttlMs: 300 });
    await waitFor("the end", async () => (await service.find(OPERATOR, record.process_id)).state === "exited", 20_000);
    expect(service.list()[0]).toMatchObject({ reason: "expired" });
    expect(strays(xidOf(record))).toEqual([]);
  });

  it("when the daemon never comes back (Y10)", async () => {
    const journal = memoryJournal();
    const { service, strays } = execWorld({ journal });
    const record = await runaway(service, strays, { limits: { orphanMs: 400 } });
    const socket = journal.list()[0]?.socket ?? "";
    await service.shutdown("restart");
    await waitFor("exit.json", () => existsSync(join(record.dir, "exit.json")), 20_000);
    expect(JSON.parse(readFileSync(join(record.dir, "exit.json"), "utf8"))).toMatchObject({ reason: "expired" });
    await waitFor("the socket to go", () => !existsSync(socket));
    expect(strays(xidOf(record))).toEqual([]);
  });

  it("after the hosts were killed", async () => {
    const { service, strays } = execWorld();
    const records = [await runaway(service, strays, {}, DEAF + RUNAWAY), await runaway(service, strays, { tty: true }, DEAF + RUNAWAY)];
    for (const record of records) sendSignal((JSON.parse(readFileSync(join(record.dir, "meta.json"), "utf8")) as { host_pid: number }).host_pid, "SIGKILL");
    await waitFor("both losses", () => service.list({ state: "lost" }).length === 2, 20_000);
    expect(records.flatMap((record) => strays(xidOf(record)))).toEqual([]);
  });

  it("by a command that ends and leaves a child with its pipe: soon closed, the child ended (Y22)", async () => {
    const { service, strays } = execWorld();
    const startedAt = performance.now();
    const { record, output } = await service.start(shell("(sleep 1000; echo late) & echo main"), { yieldMs: 20_000 });
    expect(output).toMatchObject({ output: "main\n", exit_code: 0, closed: true });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(strays(xidOf(record))).toEqual([]);
  });

  it("but what it was told to leave (Y22)", async () => {
    const { service, strays } = execWorld();
    const { record, output } = await service.start(shell("sleep 1000 >/dev/null 2>&1 & echo main", { leaveChildren: true }), { yieldMs: 20_000 });
    expect(output).toMatchObject({ output: "main\n", closed: true });
    expect(strays(xidOf(record))).toHaveLength(1);
  });

  it("of the machine's end: a host that is asked to end takes its command with it", async () => {
    const { service, strays } = execWorld();
    const record = await runaway(service, strays);
    sendSignal((JSON.parse(readFileSync(join(record.dir, "meta.json"), "utf8")) as { host_pid: number }).host_pid, "SIGTERM");
    await waitFor("the end", async () => (await service.find(OPERATOR, record.process_id)).state === "exited", 20_000);
    expect(service.list()[0]).toMatchObject({ reason: "shutdown" });
    expect(strays(xidOf(record))).toEqual([]);
  });
});

describe("sweeps and signals", () => {
  it("spare registered processes with keep and their descendants, and end the rest of the task (decision 17)", async () => {
    const { service, strays } = execWorld();
    const task = `task-${Math.random()}`;
    const env = { PATH: "/usr/bin:/bin", MULTICA_TASK_ID: task };
    const kept = await start(service, "env -u MULTICA_EXEC_XID sleep 1000 & exec sleep 1000", { env, keep: true });
    const plain = await start(service, "exec sleep 1000", { env });
    const stray = spawn("sh", ["-c", "setsid sleep 1000 & sleep 1000"], { env, detached: true });
    onTestFinished(() => void stray.kill("SIGKILL"));
    await waitFor("all of them", () => findByEnv("MULTICA_TASK_ID", task).length >= 6);
    const result = await terminateTree({
      marker: { name: "MULTICA_TASK_ID", value: task },
      spare: { name: EXEC_MARKER, values: service.spared() },
      graceMs: 1000,
      clock: systemClock,
    });
    expect(result.gone).toBe(true);
    expect(findByEnv("MULTICA_TASK_ID", task)).toHaveLength(2);
    expect([strays(xidOf(kept)).length, strays(xidOf(plain)).length]).toEqual([1, 0]);
  });

  it("never reach a group whose number belongs to somebody else by now", async () => {
    const other: ChildProcess = spawn("sh", ["-c", "sleep 1000 & sleep 1000"], { detached: true });
    onTestFinished(() => void (other.pid !== undefined && sendSignal(-other.pid, "SIGKILL")));
    const pid = other.pid ?? 0;
    const result = await terminateTree({ pid, startKey: "1", graceMs: 0, clock: systemClock });
    expect(result).toMatchObject({ gone: true, killed: false });
    expect(processIdentity(pid)).not.toBeNull();
  });
});

describe("the collector", () => {
  it("removes what is finished by age and number, and directories nobody knows (20.4)", async () => {
    const { service, stateDir } = execWorld({ bounds: { finishedRecords: 1 } });
    for (let index = 0; index < 3; index += 1) await service.start(shell("true"), { yieldMs: 10_000 });
    const records = service.list();
    const report = await service.gc();
    expect(report.removed).toHaveLength(2);
    expect(records.filter((record) => existsSync(record.dir))).toHaveLength(1);
    const unknown = join(stateDir, "exec", "cccccccccc");
    mkdirSync(unknown);
    expect((await service.gc()).kept).toEqual(["cccccccccc"]);
    const old = Date.now() / 1000 - 25 * 3600;
    utimesSync(unknown, old, old);
    expect((await service.gc({ dryRun: true })).removed).toEqual(["cccccccccc"]);
    expect(statSync(unknown).isDirectory()).toBe(true);
    expect((await service.gc()).removed).toEqual(["cccccccccc"]);
    expect(existsSync(unknown)).toBe(false);
  });
});
