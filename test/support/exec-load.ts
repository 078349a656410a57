import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type ExecRecord, type ExecService, type ExecStart, LogReader } from "../../src/lib/exec/index.ts";
import { systemClock } from "../../src/lib/platform/index.ts";
import { openState } from "../../src/lib/state/open.ts";
import { type ExecWorld, OPERATOR, command, execWorld, hostEntry, shell, xidOf } from "./exec.ts";
import { silentLogger } from "./exec-logger.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

const DAEMON = join(import.meta.dirname, "exec-daemon.ts");

/** A daemon process with these commands; resolves when all of them run. */
export async function startDaemon(stateDir: string, epoch: number, starts: readonly ExecStart[]): Promise<{ child: ChildProcess; records: ExecRecord[] }> {
  const child = spawn(process.execPath, [DAEMON, stateDir, hostEntry(), String(epoch), JSON.stringify(starts)], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, records: (JSON.parse(line) as { records: ExecRecord[] }).records };
  }
  throw new Error("the daemon ended before it was ready");
}

export async function kill9(child: ChildProcess): Promise<void> {
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await exited;
}

/** The service of a later daemon over the same state directory and database. */
export async function laterDaemon(stateDir: string, epoch: number): Promise<ExecWorld> {
  const state = await openState({ stateDir, version: "test", clock: systemClock, logger: silentLogger });
  onTestFinished(() => state.close());
  return execWorld({ stateDir, epoch, journal: state.exec, instanceId: state.instanceId });
}

/** Prints 1 … `lines`, one every 5 ms, without starting a process for each. */
export function counter(lines: number, tty: boolean): ExecStart {
  return command(["bash", "-c", `exec 3<> <(:); for ((i=1;i<=${lines};i++)); do echo $i; read -t 0.005 -u 3; done; exit 7`], { tty, keep: true });
}

/** All output of a process, from its log: what was printed before, across and after any gap of owners. */
export function wholeOutput(dir: string): { readonly text: string; readonly gaps: number } {
  const reader = new LogReader(dir);
  const parts: Buffer[] = [];
  let gaps = 0;
  for (let events = reader.next(1 << 20); events.length > 0; events = reader.next(1 << 20)) {
    for (const event of events) {
      if (event.data !== undefined) parts.push(event.data);
      if (event.gap !== undefined) gaps += 1;
    }
  }
  reader.close();
  return { text: Buffer.concat(parts).toString(), gaps };
}

export function numbers(text: string): number[] {
  return text.split(/\r?\n/).filter((line) => line !== "").map(Number);
}

export function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/**
 * Judged: `kill -9` of the daemon while processes print numbers; afterwards the same processes run under their ids, and the
 * output that two daemons read, put together, has every number once and in order.
 */
export async function killDaemonWhileCounting(options: { readonly processes: number; readonly lines: number; readonly kills: number }): Promise<void> {
  const stateDir = tempDir("mx-");
  const starts = Array.from({ length: options.processes }, (_, index) => counter(options.lines, index % 2 === 0));
  let { child, records } = await startDaemon(stateDir, 1, starts);
  const pids = new Map(records.map((record) => [record.process_id, record.pid]));
  for (let kill = 1; kill <= options.kills; kill += 1) {
    const before = wholeOutput(records[0]?.dir ?? "").text.length;
    await waitFor("more numbers", () => wholeOutput(records[0]?.dir ?? "").text.length > before + 40);
    await kill9(child);
    if (kill < options.kills) ({ child, records } = await startDaemon(stateDir, kill + 1, []));
  }
  const { service } = await laterDaemon(stateDir, options.kills + 1);
  const adopted = await service.adopt();
  expect(adopted).toEqual({ adopted: options.processes, exited: 0, lost: 0 });
  for (const record of service.list()) expect(record).toMatchObject({ state: "attached", adopted: true, pid: pids.get(record.process_id) });
  const texts = await Promise.all(service.list().map((record) => readToEnd(service, record.process_id)));
  for (const text of texts) expect(numbers(text)).toEqual(oneTo(options.lines));
  for (const record of service.list()) {
    expect(record).toMatchObject({ state: "exited", exit_code: 7 });
    expect(wholeOutput(record.dir).gaps).toBe(0);
  }
}

/** Raw output from the cursor to the end, in committed reads. */
export async function readToEnd(service: ExecService, processId: string, threadId = OPERATOR): Promise<string> {
  const parts: Buffer[] = [];
  for (;;) {
    const { output, commit } = await service.read(threadId, processId, { yieldMs: 500, rawBytes: 256 * 1024 });
    parts.push(Buffer.from(output.output, "base64"));
    commit();
    if (output.closed) return Buffer.concat(parts).toString();
  }
}

/** Judged: terminal commands that end right after their last line; none may miss it. */
export async function endRightAfterLastLine(count: number, atOnce: number): Promise<void> {
  const { service } = execWorld();
  const queue = oneTo(count);
  const worker = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const bytes = [0, 10, 5_000, 100_000][index % 4] ?? 0;
      const script = `head -c ${bytes} /dev/zero | tr '\\0' x; echo; echo last-${index}; exit ${index % 100}`;
      const { record } = await service.start(shell(script, { tty: true }), { yieldMs: 0 });
      const text = await readToEnd(service, record.process_id);
      expect(text.replaceAll("\r", "")).toBe(`${"x".repeat(bytes)}\nlast-${index}\n`);
      expect((await service.find(OPERATOR, record.process_id)).exit_code).toBe(index % 100);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** As many processes as a thread may have, at once; then one more. */
export async function startManyAtOnce(count: number, limitMs: number): Promise<void> {
  const { service } = execWorld();
  const sleeping = shell("exec sleep 1000", { maxProcesses: count });
  const startedAt = performance.now();
  const records = await Promise.all(oneTo(count).map(async () => (await service.start(sleeping, { yieldMs: 0 })).record));
  expect(performance.now() - startedAt).toBeLessThan(limitMs);
  const [oldest] = records;
  for (const record of records.slice(1)) await service.read(OPERATOR, record.process_id, { yieldMs: 0 });
  await service.start(sleeping, { yieldMs: 0 });
  await waitFor("the least recently used to go", () => service.list().find((record) => record.reason === "pruned")?.process_id === oldest?.process_id);
  expect(service.list({ state: "attached" })).toHaveLength(count);
}

export interface Flood {
  readonly peakKib: number;
  readonly bytesPerSecond: number;
}

/** Judged: much output through one process. Memory of the host, exact gap, head and tail intact. */
export async function flood(bytes: number): Promise<Flood> {
  const { service } = execWorld();
  const lines = Math.floor(bytes / 16);
  // 16 bytes a line: every byte's place is known from its number.
  const script = `seq -f '%015.0f' 1 ${lines}`;
  const startedAt = performance.now();
  const { record } = await service.start(shell(script, { limits: { rate: 1 << 30 } }), { yieldMs: 0 });
  const meta = JSON.parse(readFileSync(join(record.dir, "meta.json"), "utf8")) as { host_pid: number };
  let peakKib = 0;
  await waitFor("the end", async () => {
    peakKib = Math.max(peakKib, peakOf(meta.host_pid));
    return (await service.find(OPERATOR, record.process_id)).state === "exited";
  }, 500_000);
  const seconds = (performance.now() - startedAt) / 1000;
  const reader = new LogReader(record.dir);
  let at = 0;
  let gaps = 0;
  for (let events = reader.next(1 << 20); events.length > 0; events = reader.next(1 << 20)) {
    for (const event of events) {
      if (event.gap !== undefined) {
        gaps += 1;
        at += event.gap.bytes;
      }
      if (event.data === undefined) continue;
      expect(event.data.equals(expectedLines(at, event.data.length))).toBe(true);
      at += event.data.length;
    }
  }
  reader.close();
  expect(at).toBe(lines * 16);
  expect(gaps).toBe(bytes > 8 << 20 ? 1 : 0);
  const { total_bytes: total, dropped_bytes: dropped } = await service.find(OPERATOR, record.process_id);
  expect(total).toBe(lines * 16);
  expect(dropped).toBeGreaterThan(0);
  expect(xidOf(record)).toHaveLength(10);
  return { peakKib, bytesPerSecond: bytes / seconds };
}

function expectedLines(offset: number, length: number): Buffer {
  const first = Math.floor(offset / 16);
  const last = Math.floor((offset + length - 1) / 16);
  const text = Array.from({ length: last - first + 1 }, (_, index) => `${String(first + index + 1).padStart(15, "0")}\n`).join("");
  return Buffer.from(text).subarray(offset - first * 16, offset - first * 16 + length);
}

/** Highest resident size so far, KiB; 0 when the process is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
