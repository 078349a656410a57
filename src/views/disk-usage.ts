import type { DiskUsage } from "../lib/execenv/index.ts";
import { tableText } from "./table.ts";
import { bytesText } from "./units.ts";

interface View {
  readonly by: "task" | "workspace";
  /** Rows shown; 0 = all. */
  readonly top: number;
}

/** The report with its lists cut to the largest; the totals stay those of everything that was scanned. */
export function topOf(usage: DiskUsage, top: number): DiskUsage {
  return top === 0 ? usage : { ...usage, tasks: usage.tasks.slice(0, top), workspaces: usage.workspaces.slice(0, top) };
}

/** The table of one root and its totals. */
export function usageText(usage: DiskUsage, view: View): string {
  const header = `Workspaces root: ${usage.workspaces_root}\n`;
  if (usage.total_task_count === 0) return `${header}No environments.\n${cacheLine(usage)}`;
  const shown = topOf(usage, view.top);
  const table = view.by === "task" ? taskTable(shown) : workspaceTable(shown);
  const [count, all, noun] = view.by === "task" ? [shown.tasks.length, usage.total_task_count, "environments"] : [shown.workspaces.length, usage.total_workspace_count, "workspaces"];
  const cut = count < all ? `Shown: ${count} of ${all} ${noun}.\n` : "";
  const total = `Total: ${usage.total_task_count} environments, ${bytesText(usage.total_size_bytes)}, of which ${bytesText(usage.total_artifact_size_bytes)} (${percentText(usage.total_artifact_ratio)}) can be made again.\n`;
  return `${header}\n${table}\n${cut}${total}${cacheLine(usage)}`;
}

/** Each profile's table, and the grand total. */
export function usageOfAllText(roots: readonly { readonly profile: string; readonly report: DiskUsage }[], view: View): string {
  const parts = roots.map(({ profile, report }) => `[${profile === "" ? "default" : profile}]\n${usageText(report, view)}`);
  const sum = (pick: (report: DiskUsage) => number): number => roots.reduce((total, { report }) => total + pick(report), 0);
  return `${parts.join("\n")}\nAll profiles: ${sum((report) => report.total_task_count)} environments, ${bytesText(sum((report) => report.total_size_bytes))}.\n`;
}

function taskTable(usage: DiskUsage): string {
  const rows = usage.tasks.map((task) => [
    `${task.workspace_short}/${task.task_short}`, task.kind, task.parent_status || "-", ageText(task.age_seconds), bytesText(task.size_bytes), bytesText(task.artifact_size_bytes),
  ]);
  return tableText(["PATH", "KIND", "STATUS", "AGE", "SIZE", "ARTIFACTS"], rows);
}

function workspaceTable(usage: DiskUsage): string {
  const rows = usage.workspaces.map((one) => [
    one.workspace_short, one.task_count, bytesText(one.size_bytes), bytesText(one.artifact_size_bytes), percentText(one.artifact_ratio), ageText(one.oldest_age_seconds),
  ]);
  return tableText(["WORKSPACE", "TASKS", "SIZE", "ARTIFACTS", "ARTIFACT %", "OLDEST"], rows);
}

function cacheLine(usage: DiskUsage): string {
  return usage.repo_cache_count === 0 ? "" : `Repository caches: ${usage.repo_cache_count}, ${bytesText(usage.repo_cache_size_bytes)} (multica repo cache list).\n`;
}

/** Seconds as the two largest units: `3d 4h`, `4h 5m`, `5m 6s`, `6s`. */
function ageText(seconds: number): string {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}

function percentText(part: number): string {
  return `${(part * 100).toFixed(1)}%`;
}
