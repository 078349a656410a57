import { readFileSync } from "node:fs";
import { taskKey } from "../../../src/lib/core/index.ts";

/** A time in which the state file of the daemon could not be written, epoch milliseconds. */
export interface Trouble {
  readonly from: number;
  readonly until: number;
}

/** What is known of the daemons of a run: when each died, when its loop turned, what it wrote into its log. */
export interface Witness {
  readonly deaths: readonly number[];
  readonly beats: readonly number[];
  readonly troubles: readonly Trouble[];
  /** Agents run in exec hosts: what they say outlives the daemon. */
  readonly hosted: boolean;
  /** By the key of the task: when its daemon took it up, and when it had read the agent's success. */
  readonly tasks: ReadonlyMap<string, { readonly picked: number; readonly read: number | undefined }>;
}

/** The line that a daemon writes when it has read a success and written its ending down. */
const READ = "agent succeeded, its ending is written down";
/** A daemon whose loop turns has read a pipe in this time. */
const READ_WITHIN_MS = 2000;
/** A loop that stood still for so long was starved. */
const STARVED_MS = 1000;

/**
 * Why a success that was repeated should not have been, or null. From the moment the daemon had read it nothing excuses
 * that but a state file that could not be written; before, a daemon that had its two seconds should have read it. With an
 * exec host there is no "before": it has what the agent said, whoever died.
 */
export function brokenPromise(taskId: string, saidAt: number, witness: Witness): string | null {
  const task = witness.tasks.get(taskKey(taskId));
  if (task === undefined) return "no daemon took it up";
  const death = witness.deaths.find((at) => at >= task.picked) ?? Number.POSITIVE_INFINITY;
  const wasTroubled = (from: number): boolean => witness.troubles.some((one) => one.from <= death && one.until >= from);
  if (task.read !== undefined) return wasTroubled(task.read) ? null : `its daemon had read it ${death - task.read} ms before it died`;
  if (witness.hosted) return wasTroubled(saidAt) ? null : "its host had it, and the next daemon did not ask";
  const lived = death - saidAt;
  if (lived <= READ_WITHIN_MS || wasTroubled(saidAt) || longestPause(witness.beats, saidAt, death) > STARVED_MS) return null;
  return `its daemon lived on for ${lived} ms, was not starved and did not read it`;
}

function longestPause(beats: readonly number[], from: number, until: number): number {
  const times = [from, ...beats.filter((at) => at > from && at < until), until];
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
}

/** Reads the daemon's log and the beats of its loop. */
export function readWitness(files: { readonly log: string; readonly beats: string }, known: Pick<Witness, "deaths" | "troubles" | "hosted">): Witness {
  const tasks = new Map<string, { picked: number; read: number | undefined }>();
  for (const line of linesOf(files.log)) {
    const entry = parse(line);
    const id = entry?.["task"];
    if (entry === null || typeof id !== "string") continue;
    const at = timeOf(entry["time"]);
    const task = tasks.get(id) ?? { picked: at, read: undefined };
    tasks.set(id, entry["msg"] === READ ? { ...task, read: at } : task);
  }
  return { ...known, tasks, beats: linesOf(files.beats).map(Number) };
}

function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
}

/** A daemon that was killed may leave half a line. */
function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function timeOf(time: unknown): number {
  return typeof time === "number" ? time : Date.parse(String(time));
}
