import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { systemCode } from "../../core/index.ts";

/**
 * What makes a process that process: a pid alone is reused. `startKey` is the kernel's start time of the pid,
 * `bootId` the boot it belongs to (state-db.md 15.1).
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startKey: string;
  readonly bootId: string;
}

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly zombie: boolean;
  readonly startKey: string;
}

const GONE = ["ENOENT", "ESRCH"];
const NOT_OURS = ["EACCES", "EPERM"];
const linux = process.platform === "linux";
let cachedBootId: string | undefined;

function bootId(): string {
  if (cachedBootId === undefined) {
    cachedBootId = linux
      ? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
      : execFileSync("sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" }).trim();
  }
  return cachedBootId;
}

/** Fields of /proc/<pid>/stat; the command name may hold blanks and parentheses, so count from its last one. */
function parseStat(pid: number, text: string): ProcessEntry | null {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group, session] = fields;
  const startKey = fields[19];
  if (state === undefined || parent === undefined || group === undefined || session === undefined || startKey === undefined) return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    zombie: state === "Z" || state === "X",
    startKey,
  };
}

function readEntry(pid: number): ProcessEntry | null {
  if (!linux) return listProcesses().find((entry) => entry.pid === pid) ?? null;
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // Gone, or hidden because it is another user's. To run out of file descriptors must not make a living process dead.
    if ([...GONE, ...NOT_OURS].includes(systemCode(error) ?? "")) return null;
    throw error;
  }
}

/** Every process of this machine that can be seen, dead ones that wait to be reaped included (`zombie`). */
export function listProcesses(): ProcessEntry[] {
  if (!linux) return listWithPs();
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readEntry(Number(name));
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function listWithPs(): ProcessEntry[] {
  const text = execFileSync("ps", ["-axo", "pid=,ppid=,pgid=,sess=,stat=,lstart="], { encoding: "utf8", maxBuffer: 16 << 20 });
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+)$/.exec(line);
    if (match === null) return [];
    const [, pid, parent, group, session, state, started] = match;
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: Number(session) || 0,
        zombie: (state ?? "").startsWith("Z"),
        startKey: (started ?? "").trim(),
      },
    ];
  });
}

/** The identity of a living process, or null when there is none with this pid (a zombie counts as none). */
export function processIdentity(pid: number): ProcessIdentity | null {
  const entry = readEntry(pid);
  return entry === null || entry.zombie ? null : { pid, startKey: entry.startKey, bootId: bootId() };
}

/** True when exactly that process still lives: same boot, same start, not a zombie. */
export function identityAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  return processIdentity(identity.pid)?.startKey === identity.startKey;
}

/** True when a process of the group lives; zombies do not count. */
export function groupAlive(group: number): boolean {
  return listProcesses().some((entry) => entry.group === group && !entry.zombie);
}

/** Living descendants of `pid` by parent links, without itself. Those adopted by init are not among them. */
export function listDescendants(pid: number, entries: readonly ProcessEntry[] = listProcesses()): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const entry of entries) {
      if (entry.parent !== parent || entry.pid === pid) continue;
      queue.push(entry.pid);
      if (!entry.zombie) found.push(entry);
    }
  }
  return found;
}

/** Living processes whose environment has `name=value`: how a task's strays are found whatever they did to their parents. */
export function findByEnv(name: string, value: string): ProcessEntry[] {
  const needle = `${name}=${value}`;
  return listProcesses().filter((entry) => !entry.zombie && entry.pid !== process.pid && hasEnv(entry.pid, needle));
}

/** Those of `entries` whose environment has `name` with one of the values. */
export function findByEnvValues(name: string, values: ReadonlySet<string>, entries: readonly ProcessEntry[]): ProcessEntry[] {
  return entries.filter((entry) => !entry.zombie && [...values].some((value) => hasEnv(entry.pid, `${name}=${value}`)));
}

/** Living processes of a group or of a session, by its leader's number. */
export function listGroup(leader: number): ProcessEntry[] {
  return listProcesses().filter((entry) => !entry.zombie && (entry.group === leader || entry.session === leader));
}

function hasEnv(pid: number, needle: string): boolean {
  try {
    if (linux) return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(needle);
    const text = execFileSync("ps", ["eww", "-p", String(pid), "-o", "command="], { encoding: "utf8" });
    return text.split(/\s/).includes(needle);
  } catch (error) {
    // Gone meanwhile, or another user's: not ours to end. On other systems that is `ps` with a failure status.
    if (!linux || [...GONE, ...NOT_OURS].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}
