import { type Entry, type Lane, messageBytes } from "./lane.ts";

/** What may wait at most (state-db.md 17.1.8, 20.3); only messages are ever dropped for it. */
export interface Quota {
  readonly laneBytes: number;
  readonly totalBytes: number;
  readonly totalRows: number;
  /** Bodies that are in memory only, because the file cannot be written. */
  readonly unsavedBytes: number;
}

const MIB = 1024 * 1024;
export const QUOTA: Quota = { laneBytes: 16 * MIB, totalBytes: 256 * MIB, totalRows: 50_000, unsavedBytes: 64 * MIB };

/** The entry to drop next so that the quota holds again: the oldest messages of the lane that has too many. Null when it holds. */
export function overQuota(lanes: ReadonlyMap<string, Lane>, lane: Lane, totals: { readonly bytes: number; readonly rows: number; readonly unsaved: number }, quota: Quota): { lane: Lane; entry: Entry } | null {
  if (messageBytes(lane) > quota.laneBytes) return oldest(lane);
  if (totals.bytes <= quota.totalBytes && totals.rows <= quota.totalRows && totals.unsaved <= quota.unsavedBytes) return null;
  const bySize = [...lanes.values()].map((one) => ({ one, bytes: messageBytes(one) })).sort((a, b) => b.bytes - a.bytes);
  for (const { one } of bySize) {
    const found = oldest(one);
    if (found !== null) return found;
  }
  return null;
}

function oldest(lane: Lane): { lane: Lane; entry: Entry } | null {
  const entry = lane.entries.find((one) => one.kind === "messages" && one !== lane.busy && one.state !== "inflight");
  return entry === undefined ? null : { lane, entry };
}
