import { errorText } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { TaskPatch } from "../../state/index.ts";
import type { Book } from "./book.ts";
import { type Entry, type Lane, isTerminal } from "./lane.ts";
import { failInstead } from "./replace.ts";
import { type Verdict, retryWait } from "./verdict.ts";

interface Parts {
  readonly book: Book;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

/** What an attempt means for the entry and its lane (state-db.md 17.1, 3 to 7). */
export function applyVerdict(parts: Parts, lane: Lane, entry: Entry, verdict: Verdict): void {
  const { book } = parts;
  switch (verdict.kind) {
    case "done":
      return delivered(parts, lane, entry, verdict.state);
    case "part":
      lane.ackedSeq = verdict.restFrom - 1;
      entry.attempts = 0;
      entry.state = "queued";
      entry.firstSeq = verdict.restFrom;
      return book.replaceBody(entry, verdict.rest, { acked_seq: lane.ackedSeq });
    case "retry":
      return later(parts, lane, entry, verdict);
    case "unauthorised":
      // The request was not looked at, and it does not count as an attempt.
      if (entry.state === "inflight") entry.state = "queued";
      return book.journal.change(entry);
    case "gone":
      return abandonLane(parts, lane);
    case "too_large":
      return smaller(parts, lane, entry, verdict.error);
    case "refused":
      return refused(parts, lane, entry, verdict.status, verdict.error);
  }
}

/** The same for batches that rode along: delivered with the first, or back in their places. */
export function applyToRiders({ book }: Parts, lane: Lane, riders: readonly Entry[], verdict: Verdict): void {
  if (verdict.kind === "too_large" || verdict.kind === "refused") lane.alone = riders.length > 0 || lane.alone;
  for (const entry of riders) {
    if (entry.gone) continue;
    if (verdict.kind === "done") {
      book.drop(lane, entry);
      lane.ackedSeq = Math.max(lane.ackedSeq, entry.lastSeq ?? 0);
      book.journal.remove(entry, "delivered", { acked_seq: lane.ackedSeq });
    } else if (verdict.kind !== "gone") {
      entry.state = verdict.kind === "retry" && verdict.ambiguous ? "ambiguous" : "queued";
      book.journal.change(entry);
    }
  }
}

function delivered({ book, logger }: Parts, lane: Lane, entry: Entry, state: string | undefined): void {
  book.drop(lane, entry);
  if (entry.kind === "messages") lane.ackedSeq = Math.max(lane.ackedSeq, entry.lastSeq ?? 0);
  const patch: TaskPatch | undefined = entry.kind === "messages" ? { acked_seq: lane.ackedSeq } : isTerminal(entry) ? { phase: "done" } : undefined;
  book.journal.remove(entry, "delivered", patch);
  if (!isTerminal(entry)) return;
  const expected = entry.kind === "complete" ? "completed" : "failed";
  if (state === undefined || state === expected) logger.info("report delivered", { task: lane.id, report: entry.kind });
  else logger.warn("the server had already finished the task", { task: lane.id, state, reported: entry.kind });
}

function later(parts: Parts, lane: Lane, entry: Entry, verdict: Extract<Verdict, { kind: "retry" }>): void {
  const { book, clock, logger } = parts;
  entry.attempts += 1;
  // Once it may have arrived, it stays so until the server has been asked.
  entry.state = verdict.ambiguous || entry.state === "ambiguous" ? "ambiguous" : "queued";
  entry.strikes = verdict.unreachable ? entry.strikes + 1 : 0;
  entry.lastStatus = verdict.status;
  entry.lastError = errorText(verdict.error).slice(0, 500);
  const wait = retryWait(entry.kind, entry.attempts, verdict.afterMs, parts.random);
  entry.dueAt = clock.monotonic() + wait;
  entry.nextAttemptMs = clock.now() + wait;
  book.journal.change(entry);
  const level = isTerminal(entry) ? "warn" : "debug";
  logger[level]("report not delivered yet", { task: lane.id, report: entry.kind, attempt: entry.attempts, next_ms: wait, error: entry.lastError });
}

function abandonLane({ book, logger }: Parts, lane: Lane): void {
  logger.warn("the task no longer exists on the server; its reports are given up", { task: lane.id, reports: lane.entries.length });
  for (const entry of [...lane.entries]) {
    book.drop(lane, entry);
    book.journal.bury(entry, { status: 404, error: "task not found" }, isTerminal(entry) ? { phase: "done" } : undefined);
  }
}

/** Half as many messages a request, down to one; then that one's texts are cut. */
function smaller(parts: Parts, lane: Lane, entry: Entry, error: unknown): void {
  if (entry.cut) return refused(parts, lane, entry, 413, error);
  const count = entry.chunk ?? Math.max(1, (entry.lastSeq ?? 1) - (entry.firstSeq ?? 1) + 1);
  if (count > 1) entry.chunk = Math.ceil(count / 2);
  else entry.cut = true;
  if (entry.state === "inflight") entry.state = "queued";
  parts.book.journal.change(entry);
}

function refused({ book, logger }: Parts, lane: Lane, entry: Entry, status: number, cause: unknown): void {
  const error = errorText(cause);
  entry.lastStatus = status;
  entry.lastError = error.slice(0, 500);
  logger.error("report refused", { task: lane.id, report: entry.kind, status, error });
  const body = entry.kind === "complete" ? book.journal.body(entry) : null;
  if (body !== null) {
    // The work is real: the server is told at least that it was done and could not be taken.
    Object.assign(entry, { kind: "fail", attempts: 0, dueAt: 0, nextAttemptMs: 0, state: "queued" });
    return book.replaceBody(entry, failInstead(body, error), { terminal_kind: "fail" });
  }
  book.drop(lane, entry);
  book.journal.bury(entry, { status, error: entry.lastError }, isTerminal(entry) ? { phase: "done", error: entry.lastError } : undefined);
}
