import type { OutboxEntry, ReportKind } from "../../state/index.ts";

/** The reports of one task: sent in order, one request at a time (state-db.md 17.1). */
export interface Lane {
  readonly id: string;
  /** "" when the task's row is gone. */
  readonly runtimeId: string;
  /** Oldest first. */
  readonly entries: Entry[];
  /** What is being sent. */
  busy: Entry | null;
  /** Numbers the server is known to have, from a look at its transcript; null when nothing had to be asked. */
  present: Set<number> | null;
  ackedSeq: number;
  /** Each batch goes by itself: the server refused several at once. */
  alone: boolean;
  warnedOfQuota: boolean;
}

/** An entry on its way, with what only this process knows of it. */
export interface Entry extends OutboxEntry {
  /** Place in the order of all lanes. */
  readonly order: number;
  // Both in the time that never jumps: a wall clock set back an hour would keep a report here for as long.
  /** When this process took it. */
  readonly takenAt: number;
  /** Not sent before. */
  dueAt: number;
  /** Written down, but its pipeline has not released it yet. */
  held: boolean;
  /** It is sent when it is in the file, at the latest then (monotonic); 0 = at once. */
  fileBy: number;
  /** Messages a request may carry after the server found one too large. */
  chunk: number | null;
  /** Even a single one was too large: its texts are cut. */
  cut: boolean;
  /** How often nobody was there although the server had been seen; 0 after an answer. */
  strikes: number;
}

export const isTerminal = (entry: { readonly kind: ReportKind }): boolean => entry.kind === "complete" || entry.kind === "fail";

/** The terminal report that may be sent. */
export function readyTerminal(lane: Lane): Entry | undefined {
  return lane.entries.find((entry) => isTerminal(entry) && !entry.held);
}

/**
 * An agent that outlives the daemon is read again from the place in the file. What was sent from memory before that place was
 * written down would be sent a second time, so it waits for the file, for a while.
 */
export function waitsForFile(entry: Entry, now: number): boolean {
  return entry.id === null && now < entry.fileBy;
}

/** The head of a lane that waits for the file: it is looked at again soon. */
export function placedHead(lane: Lane, now: number): Entry | null {
  const [head] = lane.entries;
  return lane.busy === null && head !== undefined && !head.held && waitsForFile(head, now) ? head : null;
}

/** A result must not wait longer than this behind a backlog of output. */
const OVERTAKE_MS = 60_000;

/**
 * The entry a lane would send next: its oldest, unless a terminal report has waited for a minute of working connection
 * behind nothing but messages; then what is no message goes first. Null when it is busy, everything is held, or it waits for the file.
 */
export function nextEntry(lane: Lane, facts: { readonly now: number; readonly upSince: number | null }): Entry | null {
  if (lane.busy !== null) return null;
  const [head] = lane.entries;
  if (head === undefined || head.held || waitsForFile(head, facts.now)) return null;
  if (head.kind !== "messages") return head;
  const terminal = readyTerminal(lane);
  if (terminal === undefined || facts.upSince === null) return head;
  if (facts.now - Math.max(terminal.takenAt, facts.upSince) < OVERTAKE_MS) return head;
  return lane.entries.find((entry) => entry.kind !== "messages") ?? head;
}

/** Body sizes of a lane's waiting messages. */
export function messageBytes(lane: Lane): number {
  return lane.entries.reduce((sum, entry) => (entry.kind === "messages" ? sum + entry.bytes : sum), 0);
}
