import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { identityAlive } from "../platform/index.ts";
import { INDEX_FILE } from "./files.ts";
import type { StateSurvey } from "./handle.ts";
import type { IndexStatus } from "./index-db/types.ts";
import type { OutboxSummary, ReportRow, StateFacts } from "./survey.ts";

/** Reports that have waited longer than this say that something is wrong. */
const LATE_MS = 10 * 60_000;
/** A writer of the index that has not been heard of for so long does not live, or stands still (state-db.md 18.3). */
const SILENT_MS = 60_000;

/** What the two files of a profile hold (state-db.md 19.3). */
export interface StateStatus {
  readonly state:
    | (Omit<StateFacts, "holder" | "last_check"> & {
        readonly path: string;
        readonly bytes: number;
        readonly wal_bytes: number;
        readonly open_by: { readonly pid: number; readonly alive: boolean } | null;
        /** `paused` is known to a daemon only. */
        readonly outbox: Omit<OutboxSummary, "oldest_at_ms"> & { readonly oldest_at: string | null; readonly paused: "away" | "auth" | null };
        /** Damaged and replaced files that were kept, and copies from before migrations. */
        readonly kept: readonly string[];
      })
    | null;
  readonly index: IndexStatus | null;
  readonly last_check: { readonly at: string; readonly result: string } | null;
  readonly dead?: readonly ReportRow[];
  readonly lane?: readonly ReportRow[];
  /** What needs a look; empty when all is well. */
  readonly degraded: readonly string[];
}

export interface StatusWish {
  readonly index: IndexStatus | null;
  readonly paused?: "away" | "auth" | null;
  readonly dead: boolean;
  readonly lane?: string | undefined;
  readonly nowMs: number;
}

/** The status of an open state file, or of none; only ids and counts, never a body. Reads, and nothing else. */
export function stateStatus(survey: StateSurvey | null, wish: StatusWish): StateStatus {
  const { index, nowMs } = wish;
  // Where no daemon has ever run there is nothing to miss.
  if (survey === null) return { state: null, index, last_check: null, degraded: index === null ? [] : indexTrouble(index, nowMs) };
  const { holder, last_check: check, ...facts } = survey.facts();
  const { oldest_at_ms: oldest, ...outbox } = survey.outboxSummary();
  const degraded: string[] = [];
  if (oldest !== null && nowMs - oldest > LATE_MS) degraded.push("reports have waited for the server for more than ten minutes");
  if (holder !== null && !identityAlive(holder)) degraded.push(`the daemon of pid ${holder.pid} ended without giving the state file back`);
  return {
    state: {
      path: survey.path,
      bytes: sizeOf(survey.path),
      wal_bytes: sizeOf(`${survey.path}-wal`),
      ...facts,
      open_by: holder === null ? null : { pid: holder.pid, alive: identityAlive(holder) },
      outbox: { ...outbox, oldest_at: oldest === null ? null : new Date(oldest).toISOString(), paused: wish.paused ?? null },
      kept: keptFiles(survey.path),
    },
    index,
    last_check: check === null ? null : { at: new Date(check.at_ms).toISOString(), result: check.result },
    ...(wish.dead ? { dead: survey.deadReports() } : {}),
    ...(wish.lane === undefined ? {} : { lane: survey.laneReports(wish.lane) }),
    degraded: [...degraded, ...indexTrouble(index, nowMs)],
  };
}

const NO_INDEX = "there is no index of sessions that can be read (multica state backfill makes it)";

/** The status of a daemon that has no index yet, with what the index's file says: it may be at work on it. */
export function withIndex(status: StateStatus, index: IndexStatus | null, nowMs: number): StateStatus {
  if (status.index !== null || index === null) return status;
  return { ...status, index, degraded: [...status.degraded.filter((line) => line !== NO_INDEX), ...indexTrouble(index, nowMs)] };
}

function indexTrouble(index: IndexStatus | null, nowMs: number): string[] {
  if (index === null) return [NO_INDEX];
  const writer = index.backfill.holder;
  const renewed = Date.parse(index.backfill.renewed_at ?? "");
  if (writer === null) return [];
  if (!writer.alive) return [`process ${writer.pid} ended while it filled the index of sessions; the next one goes on`];
  return nowMs - renewed > SILENT_MS ? [`process ${writer.pid} fills the index of sessions and has stood still for more than a minute`] : [];
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function keptFiles(path: string): string[] {
  const names = readdirSync(dirname(path)).filter((one) => [basename(path), INDEX_FILE].some((name) => one.startsWith(`${name}.`)) && /\.((corrupt|replaced)-\d+|bak)$/.test(one));
  return names.sort().map((one) => join(dirname(path), one));
}
