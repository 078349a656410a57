import type { Clock } from "../clock.ts";
import { findByEnv, listDescendants, listProcesses, type ProcessEntry } from "./identity.ts";

export interface TerminateOptions {
  /** The group leader: its group, its descendants and theirs are ended. Omitted: only what bears the marker. */
  readonly pid?: number;
  /** Environment variable that every process of the tree bears (decision 17). */
  readonly marker?: { readonly name: string; readonly value: string };
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

interface Target {
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
  const known = new Map<number, Target>();
  if (alive(collect(options, known)).length === 0) return { gone: true, survivors: [], killed: false };
  signalAll(options, known, "SIGTERM");
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
  const add = (entry: ProcessEntry): void => {
    if (entry.pid !== process.pid && entry.pid > 1) known.set(entry.pid, { pid: entry.pid, startKey: entry.startKey });
  };
  if (options.pid !== undefined) {
    const leader = options.pid;
    for (const entry of entries) if (entry.pid === leader || entry.group === leader || entry.session === leader) add(entry);
    for (const entry of listDescendants(leader, entries)) add(entry);
  }
  for (const target of [...known.values()]) for (const entry of listDescendants(target.pid, entries)) add(entry);
  if (options.marker !== undefined) {
    for (const entry of findByEnv(options.marker.name, options.marker.value)) {
      add(entry);
      // It may be younger than the list above: left out, it would count as gone.
      byPid.set(entry.pid, entry);
    }
  }
  return [...known.values()].flatMap((target) => {
    const entry = byPid.get(target.pid);
    return entry !== undefined && entry.startKey === target.startKey ? [entry] : [];
  });
}

function alive(entries: readonly ProcessEntry[]): ProcessEntry[] {
  return entries.filter((entry) => !entry.zombie);
}

function signalAll(options: TerminateOptions, known: Map<number, Target>, signal: NodeJS.Signals): void {
  const living = alive(collect(options, known));
  const leader = options.pid;
  if (leader !== undefined && living.some((entry) => entry.group === leader)) sendSignal(-leader, signal);
  for (const entry of living) if (entry.group !== leader) sendSignal(entry.pid, signal);
}

/** Sends a signal; a process that has just ended or belongs to somebody else is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
