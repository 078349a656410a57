import type { TimelineEntry } from "../lib/wire/index.ts";
import { usage } from "./resolve.ts";

export interface TimelineFilter {
  readonly activityOnly: boolean;
  readonly actions: readonly string[];
  readonly since: string | undefined;
  readonly tail: number | undefined;
}

/** The time of `--since` in milliseconds; a text that is no time is a usage error. */
export function sinceTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw usage(`--since ${JSON.stringify(text)} is not an RFC 3339 time`);
  return at;
}

/** The entries a reader asked for; the server knows no filters. An entry without a readable time is not "since" anything. */
export function filterTimeline(entries: readonly TimelineEntry[], filter: TimelineFilter): TimelineEntry[] {
  const since = sinceTime(filter.since);
  const wanted = entries.filter((entry) => {
    if ((filter.activityOnly || filter.actions.length > 0) && entry.type !== "activity") return false;
    if (filter.actions.length > 0 && !filter.actions.includes(entry.action ?? "")) return false;
    return since === undefined || Date.parse(entry.created_at) > since;
  });
  return filter.tail === undefined ? wanted : filter.tail === 0 ? [] : wanted.slice(-filter.tail);
}
