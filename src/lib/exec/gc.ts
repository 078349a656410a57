import { type Dirent, lstatSync, readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { errorText, systemCode } from "../core/index.ts";
import { identityAlive, removeFileNow, removeTree, terminateTree, withTimeout } from "../platform/index.ts";
import { hostDirectories, recreate, settle } from "./adopt.ts";
import { type ExecCore, identity } from "./core.ts";
import type { Entry } from "./entry.ts";
import { readMeta } from "./files.ts";
import { isAgentThread } from "./agent-thread.ts";
import { socketDirectories } from "./socket-path.ts";
import { forget } from "./threads.ts";
import type { GcReport } from "./types.ts";

const STALE_MS = 24 * 3_600_000;
/** A host says good-bye for a few seconds after the end of its command. */
const FAREWELL_MS = 30_000;
const LOG_BYTES = 2 * 1024 ** 3;
const PROBE_MS = 1000;

interface Report {
  readonly adopted: string[];
  readonly removed: string[];
  readonly killed: string[];
  readonly kept: string[];
}

/** Puts records, directories, hosts and sockets in agreement (exec-sessions.md 20.4). A dry run only says what it would do. */
export async function collectGarbage(core: ExecCore, dryRun: boolean): Promise<GcReport> {
  const report: Report = { adopted: [], removed: [], killed: [], kept: [] };
  for (const xid of hostDirectories(core)) if (core.book.byXid(xid) === undefined) await unknownDirectory(core, xid, report, dryRun);
  for (const entry of core.book.all()) await known(core, entry, report, dryRun);
  await retention(core, report, dryRun);
  for (const directory of socketDirectories(core.parts.stateDir, core.parts.env)) await sockets(core, directory, report, dryRun);
  return report;
}

async function unknownDirectory(core: ExecCore, xid: string, report: Report, dryRun: boolean): Promise<void> {
  const dir = join(core.parts.stateDir, "exec", xid);
  const meta = readMeta(dir);
  const host = meta === null ? null : identity(meta.host_pid, meta.host_start_key, meta.boot_id);
  if (meta !== null && host !== null && identityAlive(host)) {
    // Another installation's: not ours to touch.
    if (meta.instance_id !== core.parts.instanceId) return void report.kept.push(xid);
    report.adopted.push(xid);
    if (dryRun) return;
    const entry = recreate(core, xid);
    if (entry === null) return;
    await core.recover(entry);
    if (entry.final || entry.client === null) return;
    entry.adopted = true;
    settle(core, entry);
    return;
  }
  const age = core.parts.clock.now() - (statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (age < STALE_MS) return void report.kept.push(xid);
  report.removed.push(xid);
  if (!dryRun) await removeTree(dir);
}

async function known(core: ExecCore, entry: Entry, report: Report, dryRun: boolean): Promise<void> {
  const { row } = entry;
  const { clock, logger } = core.parts;
  if (entry.final) {
    // The host of an agent waits for the task's word, however long its run has been over.
    if (isAgentThread(entry.threadId)) return;
    const host = identity(row.host_pid, row.host_start_key, row.boot_id);
    const over = clock.now() - (row.exited_at_ms ?? row.created_at_ms) > FAREWELL_MS;
    if (host === null || !over || !identityAlive(host)) return;
    report.killed.push(name(entry));
    if (!dryRun) await terminateTree({ pid: host.pid, startKey: host.startKey, graceMs: core.bounds.graceMs, clock });
    return;
  }
  if (row.state === "starting" || statSync(row.dir, { throwIfNoEntry: false }) !== undefined) return;
  report.killed.push(name(entry));
  if (!dryRun) await core.terminate(entry, "host_lost").catch((error: unknown) => logger.warn("a process without directory is not ended", { error: errorText(error) }));
}

/** Finished ones go by age, by number, and by the room their logs take; the oldest first. */
async function retention(core: ExecCore, report: Report, dryRun: boolean): Promise<void> {
  const { retentionMs, finishedRecords } = core.bounds;
  const now = core.parts.clock.now();
  const endedAt = (entry: Entry): number => entry.row.exited_at_ms ?? entry.row.created_at_ms;
  const finished = core.book.all().filter((entry) => entry.final && !isAgentThread(entry.threadId)).sort((a, b) => endedAt(b) - endedAt(a));
  let bytes = core.book.live().reduce((sum, entry) => sum + directorySize(entry.row.dir), 0);
  for (const [index, entry] of finished.entries()) {
    bytes += directorySize(entry.row.dir);
    if (index < finishedRecords && now - endedAt(entry) <= retentionMs && bytes <= LOG_BYTES) continue;
    report.removed.push(name(entry));
    if (!dryRun) await forget(core, entry);
  }
}

function directorySize(dir: string): number {
  return entriesOf(dir).reduce((sum, file) => sum + (lstatSync(join(dir, file.name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(systemCode(error) ?? "")) return [];
    throw error;
  }
}

async function sockets(core: ExecCore, directory: string, report: Report, dryRun: boolean): Promise<void> {
  for (const file of entriesOf(directory)) {
    const xid = /^([a-z2-7]{10})\.sock$/.exec(file.name)?.[1];
    if (xid === undefined || !file.isSocket()) continue;
    const entry = core.book.byXid(xid);
    if (entry !== undefined && !entry.final) continue;
    const path = join(directory, file.name);
    if (!(await refuses(core, path))) continue;
    report.removed.push(file.name);
    if (!dryRun) removeFileNow(path);
  }
}

async function refuses(core: ExecCore, path: string): Promise<boolean> {
  const probe = new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => (socket.destroy(), resolve(false)));
    socket.once("error", (error) => resolve(systemCode(error) === "ECONNREFUSED"));
  });
  return withTimeout(core.parts.clock, PROBE_MS, "the socket", probe).catch(() => false);
}

function name(entry: Entry): string {
  return `${entry.threadId}/${entry.processId}`;
}
