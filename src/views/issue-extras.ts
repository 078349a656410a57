import { shortIds } from "../lib/core/index.ts";
import type { Issue, IssueUsage, Label, SearchHit, Subscriber, TimelineEntry } from "../lib/wire/index.ts";
import type { NameOf } from "./issues.ts";
import { type Cell, cutText, tableText, timeText } from "./table.ts";

/** `issue children`. */
export function childrenTable(issues: readonly Issue[], nameOf: NameOf): string {
  return tableText(
    ["STAGE", "KEY", "TITLE", "STATUS", "PRIORITY", "ASSIGNEE"],
    issues.map((issue) => [issue.stage ?? "-", issue.identifier, issue.title, issue.status, issue.priority, nameOf(issue.assignee_type, issue.assignee_id)]),
  );
}

/** `issue search`. */
export function searchTable(hits: readonly SearchHit[]): string {
  return tableText(
    ["KEY", "TITLE", "STATUS", "MATCH"],
    hits.map((hit) => {
      const snippet = cutText(hit.matched_snippet, 50);
      return [hit.identifier, hit.title, hit.status, `${hit.match_source ?? ""}${snippet === "" ? "" : `: ${snippet}`}`];
    }),
  );
}

/** `issue pull-requests`. */
export function pullRequestTable(requests: readonly Readonly<Record<string, unknown>>[]): string {
  return tableText(
    ["NUMBER", "STATE", "TITLE", "URL"],
    requests.map((one) => [plain(one["number"]), plain(one["state"]), plain(one["title"]), plain(one["url"] || one["html_url"])]),
  );
}

/** `issue metadata …`. */
export function metadataTable(metadata: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return tableText(
    ["KEY", "VALUE", "TYPE"],
    rows.map(([key, value]) => [key, plain(value), typeof value === "boolean" ? "bool" : typeof value]),
  );
}

/** `label list` and `issue label …`; with times for the workspace's own list. */
export function labelTable(labels: readonly Label[], fullId: boolean, times = false): string {
  const short = shortIds(labels.map((label) => label.id));
  return tableText(
    ["ID", "NAME", "COLOR", ...(times ? ["CREATED"] : [])],
    labels.map((label) => [fullId ? label.id : short(label.id), label.name, label.color, ...(times ? [timeText(label.created_at, 10)] : [])]),
  );
}

/** `issue subscriber list`. */
export function subscriberTable(subscribers: readonly Subscriber[], nameOf: NameOf): string {
  return tableText(
    ["USER", "REASON", "CREATED"],
    subscribers.map((one) => [nameOf(one.user_type, one.user_id), one.reason, timeText(one.created_at, 10)]),
  );
}

/** `issue usage`. */
export function usageTable(usage: IssueUsage): string {
  return tableText(
    ["INPUT_TOKENS", "OUTPUT_TOKENS", "CACHE_READ", "CACHE_WRITE", "RUNS"],
    [[usage.total_input_tokens, usage.total_output_tokens, usage.total_cache_read_tokens, usage.total_cache_write_tokens, usage.task_count]],
  );
}

/** `issue timeline`. */
export function timelineTable(entries: readonly TimelineEntry[], nameOf: NameOf): string {
  return tableText(
    ["TIME", "TYPE", "ACTOR", "DETAIL"],
    entries.map((entry) => [timeText(entry.created_at, 16), entry.action || entry.type, nameOf(entry.actor_type, entry.actor_id) || entry.actor_type, detail(entry, nameOf)]),
  );
}

function detail(entry: TimelineEntry, nameOf: NameOf): string {
  if (entry.type === "comment") return cutText(entry.content, 60);
  const details = entry.details ?? {};
  if (["from_type", "to_type"].some((key) => key in details)) {
    const side = (name: string): string => nameOf(text(details[`${name}_type`]), text(details[`${name}_id`])) || "(none)";
    return `${side("from")} → ${side("to")}`;
  }
  if ("from" in details || "to" in details) return `${plain(details["from"]) || "(none)"} → ${plain(details["to"]) || "(none)"}`;
  const pairs = Object.entries(details).sort(([a], [b]) => (a < b ? -1 : 1));
  return cutText(pairs.map(([key, value]) => `${key}=${plain(value)}`).join(" "), 60);
}

/** A value of unknown shape as a cell. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value as Cell);
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
