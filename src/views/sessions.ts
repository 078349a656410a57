import type { BackfillStats, CodexDatabase, FoundRollout, SessionPage, SessionRow, ThreadFile } from "../lib/state/index.ts";
import { cutText, pairsText, tableText, timeText } from "./table.ts";

const TITLE = 60;

/** The table of `session list`. */
export function sessionTable(page: SessionPage): string {
  if (page.sessions.length === 0) return "No sessions.\n";
  const headers = ["UPDATED", "THREAD", "SOURCE", "CWD", "TITLE", "TOKENS", "ISSUE"];
  const rows = page.sessions.map((row) => [
    timeText(row.updated_at, 16),
    row.thread_id.slice(0, 8),
    cutText(row.source, 12),
    row.cwd,
    cutText(row.name ?? row.title, TITLE),
    row.tokens_used,
    row.issue_id?.slice(0, 8),
  ]);
  return tableText(headers, rows);
}

/** `session show`: one thread and every file that carries it. */
export function sessionText(row: SessionRow, found: FoundRollout, files: readonly ThreadFile[]): string {
  const git = [row.git.branch, row.git.sha?.slice(0, 12), row.git.origin_url].filter((part) => part !== null && part !== undefined && part !== "");
  const known = ([
    ["Thread", row.thread_id],
    ["Name", row.name],
    ["Title", cutText(row.title, 200)],
    ["Created", row.created_at],
    ["Updated", row.updated_at],
    ["Directory", row.cwd],
    ["Source", row.source],
    ["Model", [row.model_provider, row.model].filter((part) => part !== null).join(" / ")],
    ["Tokens", row.tokens_used],
    ["Git", git.join(" ")],
    ["Archived", row.archived ? (row.archived_at ?? "yes") : "no"],
    ["Task", row.task_id],
    ["Issue", row.issue_id],
    ["Agent", row.agent_id],
    ["Rollout", found.rollout_path],
    ["Verified", found.verified ? "yes" : "no: the file does not say whose it is"],
    ["Homes", row.homes.length > 5 ? `${row.homes.slice(0, 5).join(", ")} and ${row.homes.length - 5} more` : row.homes.join(", ")],
  ] as const).filter(([, value]) => value !== null && value !== "");
  const pairs = pairsText(known);
  const others = files.filter((file) => file.path !== found.rollout_path);
  return others.length === 0 ? pairs : `${pairs}\nOther files with this id:\n${others.map((file) => `  ${file.path}${file.verified ? "" : " (by its name only)"}\n`).join("")}`;
}

/** How a rollout was found, for those who want to know (`session find --debug`). */
export function foundText(found: FoundRollout): string {
  const why = found.reason === null ? "" : ` (${found.reason})`;
  const state = found.verified ? "its first record names the thread" : "its first record does not say whose it is";
  return `found through the ${found.via}${why}; ${state}${found.repaired ? "; the index was repaired" : ""}`;
}

/** The one line of `state backfill`. */
export function backfillText(stats: BackfillStats): string {
  const seconds = (stats.duration_ms / 1000).toFixed(1);
  const failed = stats.failed === 0 ? "" : `, ${stats.failed} could not be read`;
  return `${stats.scanned} rollouts in ${stats.roots} directories: ${stats.upserted} read, ${stats.unchanged} unchanged, ${stats.removed} gone${failed} (${seconds} s).\n`;
}

/** Where a running backfill is. */
export function progressLine(stats: BackfillStats): string {
  return `\r${stats.scanned} rollouts looked at, ${stats.upserted} read`;
}

/** Codex's own databases (`state status --codex`). */
export function codexTable(databases: readonly CodexDatabase[]): string {
  if (databases.length === 0) return "Codex has no database in any home.\n";
  const rows = databases.map((one) => [one.generation, one.threads, one.backfill, one.home, one.error]);
  return `\n${tableText(["GENERATION", "THREADS", "BACKFILL", "CODEX HOME", "ERROR"], rows)}`;
}
