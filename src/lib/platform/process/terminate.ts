import type { Clock } from "../clock.ts";
import { findByEnv, findByEnvValues, listDescendants, listProcesses, type ProcessEntry } from "./identity.ts";

export interface TerminateOptions {
  /** The group leader: its group, its descendants and theirs are ended. Omitted: only what bears the marker. */
  readonly pid?: number;
  /** Environment variable that every process of the tree bears (decision 17). */
  readonly marker?: { readonly name: string; readonly value: string };
  /** Start key of `pid`: when another process has the number now, its group is not ours and is left alone. */
  readonly startKey?: string;
  /** Further processes of the tree, by identity. */
  readonly also?: readonly Target[];
  /** What bears one of these values, and its descendants, belongs to somebody else (decision 17). */
  readonly spare?: { readonly name: string; readonly values: ReadonlySet<string> };
  /** Sent before the grace; SIGTERM unless given. */
  readonly gentle?: readonly NodeJS.Signals[];
  /** Time between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** How long to wait for the end after SIGKILL before giving up; 5000 unless given. */
  readonly killWaitMs?: number;
}

export interface TerminateResult {
  /** True when it was seen that nothing of the tree lives (zombies are dead). */
  readonly gone: boolean;
  readonly survivors: readonly number[];
  /** True when SIGKILL was needed. */
  readonly killed: boolean;
}

const POLL_MS = 20;

/** A process by number and start, of this boot. */
export interface Target {
  readonly pid: number;
  readonly startKey: string;
}

/**
 * Ends a process tree and proves that it is gone: SIGTERM to the group and to every descendant, SIGKILL after the grace.
 * Agents put commands in sessions of their own, so the group is never the whole tree (real-agents.md 3, finding 3);
 * processes are signalled by identity (pid and start), never by pid alone.
 */
export async function terminateTree(options: TerminateOptions): Promise<TerminateResult> {
  const { clock } = options;
  const known = new Map<number, Target>((options.also ?? []).map((target) => [target.pid, target]));
  if (alive(collect(options, known)).length === 0) return { gone: true, survivors: [], killed: false };
  for (const signal of options.gentle ?? ["SIGTERM"]) signalAll(options, known, signal);
  if (await waitGone(options, known, clock.monotonic() + options.graceMs)) return { gone: true, survivors: [], killed: false };
  const limit = clock.monotonic() + (options.killWaitMs ?? 5000);
  for (;;) {
    signalAll(options, known, "SIGKILL");
    const survivors = alive(collect(options, known));
    if (survivors.length === 0) return { gone: true, survivors: [], killed: true };
    if (clock.monotonic() >= limit) return { gone: false, survivors: survivors.map((entry) => entry.pid), killed: true };
    await clock.sleep(POLL_MS);
  }
}

async function waitGone(options: TerminateOptions, known: Map<number, Target>, limit: number): Promise<boolean> {
  for (;;) {
    if (alive(collect(options, known)).length === 0) return true;
    if (options.clock.monotonic() >= limit) return false;
    await options.clock.sleep(POLL_MS);
  }
}

/** Adds what belongs to the tree now to `known` (a child may lose its parent between two looks) and returns what lives of it. */
function collect(options: TerminateOptions, known: Map<number, Target>): ProcessEntry[] {
  const entries = listProcesses();
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  const spared = sparedPids(options, entries);
  const add = (entry: ProcessEntry): void => {
    if (entry.pid !== process.pid && entry.pid > 1 && !spared.has(entry.pid)) known.set(entry.pid, { pid: entry.pid, startKey: entry.startKey });
  };
  const leader = ownLeader(options, byPid);
  if (leader !== undefined) {
    for (const entry of entries) if (entry.pid === leader || entry.group === leader || entry.session === leader) add(entry);
    for (const entry of listDescendants(leader, entries)) add(entry);
  }
  for (const target of [...known.values()]) {
    if (byPid.get(target.pid)?.startKey !== target.startKey) continue;
    for (const entry of listDescendants(target.pid, entries)) add(entry);
  }
  if (options.marker !== undefined) {
    for (const entry of findByEnv(options.marker.name, options.marker.value)) {
      if (spared.has(entry.parent) || sparedPids(options, [entry]).size > 0) continue;
      // It may be younger than the list above: left out, it would count as gone.
      byPid.set(entry.pid, entry);
      add(entry);
    }
  }
  return [...known.values()].flatMap((target) => {
    const entry = byPid.get(target.pid);
    return entry !== undefined && entry.startKey === target.startKey ? [entry] : [];
  });
}

/** The leader's number, unless it is somebody else's by now. */
function ownLeader(options: TerminateOptions, byPid: ReadonlyMap<number, ProcessEntry>): number | undefined {
  if (options.pid === undefined || options.startKey === undefined) return options.pid;
  // Without the leader a group of that number proves nothing: `also` and the marker name what is left of it.
  return byPid.get(options.pid)?.startKey === options.startKey ? options.pid : undefined;
}

function sparedPids(options: TerminateOptions, entries: readonly ProcessEntry[]): ReadonlySet<number> {
  const spared = new Set<number>();
  if (options.spare === undefined || options.spare.values.size === 0) return spared;
  for (const entry of findByEnvValues(options.spare.name, options.spare.values, entries)) {
    spared.add(entry.pid);
    for (const child of listDescendants(entry.pid, entries)) spared.add(child.pid);
  }
  return spared;
}

function alive(entries: readonly ProcessEntry[]): ProcessEntry[] {
  return entries.filter((entry) => !entry.zombie);
}

function signalAll(options: TerminateOptions, known: Map<number, Target>, signal: NodeJS.Signals): void {
  const living = alive(collect(options, known));
  // The whole group at once, so that a shell cannot start the next command in between; only while it is surely ours.
  const leader = options.spare === undefined ? ownLeader(options, new Map(living.map((entry) => [entry.pid, entry]))) : undefined;
  if (leader !== undefined && living.some((entry) => entry.group === leader)) sendSignal(-leader, signal);
  for (const entry of living) if (leader === undefined || entry.group !== leader) sendSignal(entry.pid, signal);
}

/**
 * Sends a signal to a process, or to the group `-pid`; one that has just ended or belongs to somebody else is no error.
 * 0, 1 and -1 (our own group, init, everything) and what is no number are never signalled: such a pid was read wrong.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  if (!Number.isInteger(pid) || Math.abs(pid) <= 1) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
