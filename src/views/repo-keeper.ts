import type { CacheEntry, CacheReport, KeptWork } from "../lib/repos/index.ts";
import { tableText } from "./table.ts";

export function rescueTable(work: readonly KeptWork[]): string {
  if (work.length === 0) return "";
  return tableText(
    ["ID", "SAVED", "KIND", "FILES", "BRANCH", "REPOSITORY", "WHERE"],
    work.map((item) => [item.id, minute(item.at), item.kind, item.files ?? "", item.branch ?? "", item.repository, item.checkout ?? item.ref]),
  );
}

/** The facts of one entry, then its patch as git wrote it. */
export function rescueText(work: KeptWork, patch: string): string {
  const facts = [
    ["Ref", work.ref || null],
    ["Commit", work.commit || null],
    ["Repository", work.repository || null],
    ["Saved", work.at],
    ["Kept until", work.expires_at],
    ["Task", work.task_id],
    ["Branch", work.branch],
    ["Directory", work.checkout],
  ].flatMap(([name, value]) => (value === null || value === undefined ? [] : [`${name}: ${value}`]));
  return `${facts.join("\n")}\n\n${patch}`;
}

export function cacheTable(caches: readonly CacheEntry[]): string {
  if (caches.length === 0) return "";
  return tableText(
    ["NAME", "WORKSPACE", "SIZE", "LAST USED", "CHECKOUTS", "RESCUED", "UNPUSHED", "URL"],
    caches.map((cache) => [cache.name, cache.workspace_id, size(cache.bytes), cache.last_used === null ? "unknown" : minute(cache.last_used), cache.checkouts, cache.rescues, cache.unpushed ? "yes" : "", cache.url]),
  );
}

export function cacheReportTable(reports: readonly CacheReport[]): string {
  if (reports.length === 0) return "";
  return tableText(
    ["NAME", "WORKSPACE", "STATUS", "DETAILS"],
    reports.map((report) => [report.name, report.workspace_id, report.status, report.details.join("; ")]),
  );
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace("T", " ");
}

function size(bytes: number): string {
  const steps = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let step = 0;
  for (; value >= 1000 && step < steps.length - 1; step += 1) value /= 1000;
  return `${step === 0 ? value : value.toFixed(1)} ${steps[step] ?? ""}`;
}
