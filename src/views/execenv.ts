import type { CleanReport, EnvList, EnvSummary, GcReport, HealReport, Inspection, StoreReport, TempReport } from "../lib/execenv/index.ts";
import { type Cell, pairsText, tableText } from "./table.ts";
import { bytesText } from "./units.ts";

/** The table of `execenv list`, with a line of plain words below it. */
export function listText(list: EnvList, nowMs: number): string {
  if (list.envs.length === 0) return `No environments below ${list.root}.\n`;
  const sized = list.envs.some((env) => env.size_bytes !== undefined);
  const checked = list.envs.some((env) => env.findings !== undefined);
  const headers = ["ENV", "KIND", "PARENT", "PROVIDER", "STATE", "LAST USED", ...(sized ? ["SIZE"] : []), ...(checked ? ["FINDINGS"] : [])];
  const rows = list.envs.map((env): Cell[] => [
    env.id,
    env.kind,
    env.parent_id,
    env.provider,
    env.state,
    ageText(env, nowMs),
    ...(sized ? [bytesText(env.size_bytes ?? 0)] : []),
    ...(checked ? [countText(env.findings)] : []),
  ]);
  const total = sized ? `, ${bytesText(list.totals.size_bytes ?? 0)}` : "";
  return `${tableText(headers, rows)}\n${list.totals.envs} below ${list.root}, ${list.totals.active} in use${total}.\n`;
}

function ageText(env: EnvSummary, nowMs: number): string {
  const at = Date.parse(env.last_used_at);
  if (Number.isNaN(at)) return "";
  const minutes = Math.max(0, Math.floor((nowMs - at) / 60_000));
  if (minutes < 60) return `${minutes}m ago`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h ago` : `${Math.floor(minutes / 1440)}d ago`;
}

function countText(findings: { error: number; warn: number; info: number } | undefined): string {
  if (findings === undefined) return "";
  const parts = (["error", "warn", "info"] as const).flatMap((key) => (findings[key] > 0 ? [`${findings[key]} ${key}`] : []));
  return parts.join(", ") || "none";
}

/** `execenv inspect`: who it belongs to, its home, its findings, what to do. */
export function inspectText(found: Inspection): string {
  const { report } = found;
  const parts = [
    pairsText([
      ["Environment", found.id],
      ["Path", found.path],
      ["State", found.lock.held ? `in use by process ${found.lock.pid ?? "?"}` : found.state],
      ["For", found.parent_id === "" ? found.kind : `${found.kind} ${found.parent_id}`],
      ["Agent", [found.agent_name, found.agent_id].filter((part) => part !== "").join(" ")],
      ["Provider", found.provider],
      ["Shared home", report.shared_codex_home ?? ""],
      ["Last used", found.last_used_at],
      ["Size", bytesText(found.size_bytes)],
    ]),
  ];
  parts.push(saysText(found));
  if (report.codex_home.length > 0) {
    const rows = report.codex_home.map((entry) => [entry.entry, entry.expected, entry.actual, entry.target ?? "", entry.ok ? "yes" : "NO"]);
    parts.push(tableText(["CODEX HOME", "SHOULD BE", "IS", "TARGET", "OK"], rows));
  }
  if (report.blocks.length > 0) {
    const rows = report.blocks.map((block) => [block.block, yes(block.present), yes(block.current), yes(block.foreign)]);
    parts.push(tableText(["CONFIG BLOCK", "PRESENT", "CURRENT", "FOREIGN LINES"], rows));
  }
  if (found.checkouts.length > 0) {
    parts.push(tableText(["CHECKOUT", "KIND", "BRANCH", "ONLY HERE"], found.checkouts.map((one) => [one.path, one.mode, one.branch, one.work ?? "nothing"])));
  }
  const shown = new Set(found.checkouts.map((one) => one.path));
  for (const work of found.unpushed_work.filter((one) => !shown.has(one.path))) parts.push(`Work that exists nowhere else: ${work.path}: ${work.what}\n`);
  parts.push(report.error === null ? findingsText(report.findings) : `It could not be looked at: ${report.error}\n`);
  if (report.findings.some((finding) => finding.fix === "auto" && finding.severity !== "info")) {
    parts.push(`multica execenv heal ${found.id} repairs what says auto.\n`);
  }
  return parts.join("\n");
}

/** What each of its files says about whom it belongs to, side by side. */
function saysText(found: Inspection): string {
  const rows = Object.entries(found.says).map(([file, ids]) => {
    const cell = (key: string): string => (typeof ids?.[key] === "string" ? ids[key] : "");
    return ids === null ? [file, "missing or unreadable", "", ""] : [file, cell("task_id"), cell("agent_id"), cell("issue_id") || cell("chat_session_id")];
  });
  return tableText(["FILE", "TASK", "AGENT", "CONVERSATION"], rows);
}

function yes(value: boolean): string {
  return value ? "yes" : "no";
}

function findingsText(findings: HealReport["findings"]): string {
  if (findings.length === 0) return "Nothing is wrong.\n";
  const rows = findings.map((one) => [one.severity, one.code, one.path, `${one.expected}; is: ${one.actual}`, one.status === "found" ? one.fix : one.status]);
  const hints = findings.filter((one) => one.hint !== "" && one.status !== "healed").map((one) => `${one.code}: ${one.hint}\n`);
  const kept = findings.filter((one) => one.backup !== null).map((one) => `Kept: ${one.path} as ${one.backup ?? ""}\n`);
  const failed = findings.filter((one) => one.error !== null).map((one) => `${one.code}: ${one.error ?? ""}\n`);
  return [tableText(["SEVERITY", "FINDING", "WHERE", "SHOULD BE", "FIX"], rows), ...new Set([...failed, ...kept, ...hints])].join("");
}

export interface HealDocument {
  readonly dry_run: boolean;
  readonly shared_codex_home: string | null;
  readonly envs: readonly HealReport[];
  readonly summary: { readonly envs: number; readonly healed: number; readonly remaining: number; readonly failed: number; readonly busy: number };
}

/** The one document of `execenv heal`. */
export function healDocument(reports: readonly HealReport[], dryRun: boolean): HealDocument {
  const count = (status: HealReport["status"]): number => reports.filter((report) => report.status === status).length;
  return {
    dry_run: dryRun,
    shared_codex_home: reports.find((report) => report.shared_codex_home !== null)?.shared_codex_home ?? null,
    envs: reports,
    summary: { envs: reports.length, healed: count("healed"), remaining: count("remaining"), failed: count("error"), busy: count("busy") },
  };
}

export function healText(document: HealDocument): string {
  if (document.envs.length === 0) return "No environments.\n";
  const parts = document.envs.filter((report) => report.status !== "ok" || document.envs.length === 1).map((report) => healOne(report, document.dry_run));
  const { envs, healed, remaining, failed, busy } = document.summary;
  const fine = envs - healed - remaining - failed - busy;
  const counts = [[fine, "fine"], [healed, "repaired"], [remaining, document.dry_run ? "with something to repair" : "with something left"], [busy, "in use"], [failed, "failed"]] as const;
  return `${parts.join("\n")}${parts.length > 0 ? "\n" : ""}${envs} looked at: ${counts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`).join(", ")}.\n`;
}

function healOne(report: HealReport, dryRun: boolean): string {
  const head = `${report.id}: ${dryRun && report.findings.some((one) => one.status === "would_heal") ? "would be repaired" : WORDS[report.status]}\n`;
  if (report.error !== null) return `${head}${report.error}\n`;
  return report.findings.length === 0 ? head : head + findingsText(report.findings);
}

const WORDS: Readonly<Record<HealReport["status"], string>> = {
  ok: "nothing is wrong",
  healed: "repaired",
  remaining: "something is left",
  busy: "in use, not touched",
  error: "not possible",
};

/** `execenv gc`: what goes, why, and how much; what is kept is counted only. */
export function gcText(document: GcText): string {
  const gone = document.envs.filter((env) => env.status !== "kept");
  const rows = gone.map((env) => [env.id, env.action, env.status, bytesText(env.bytes), env.error ?? env.reason]);
  const temp = document.temp.map((one) => [one.path, "temp", one.status, "", one.error ?? "its task is no more"]);
  const stores = document.stores.map((one) => [one.path, "sessions", one.status, "", one.error ?? "nobody took them up for long"]);
  const freed = gone.filter((env) => env.status === "cleaned" || env.status === "would_clean").reduce((total, env) => total + env.bytes, 0);
  const all = [...rows, ...temp, ...stores];
  const table = all.length === 0 ? "" : `${tableText(["ENV", "WHAT", "RESULT", "BYTES", "WHY"], all)}\n`;
  const { repos } = document;
  const tidied = repos === null ? "" : `Repositories: ${repos.branches} old branches deleted, ${repos.packed} packed, ${repos.rescuesExpired} old rescues dropped.\n`;
  return `${table}${document.dry_run ? "Would free" : "Freed"} ${bytesText(freed)}; ${document.envs.length - gone.length} kept.\n${tidied}`;
}

interface GcText {
  readonly dry_run: boolean;
  readonly envs: readonly GcReport[];
  readonly temp: readonly TempReport[];
  readonly stores: readonly StoreReport[];
  readonly repos: { readonly branches: number; readonly packed: number; readonly rescuesExpired: number } | null;
}

export function cleanText(reports: readonly CleanReport[]): string {
  if (reports.length === 0) return "Nothing to clean.\n";
  const table = tableText(["ENV", "RESULT", "BYTES", "WHY"], reports.map((one) => [one.id, one.status, bytesText(one.bytes), one.reason]));
  const saved = reports.flatMap((one) => one.saved).map((work) => `Kept: ${work.path}: ${work.ref} in ${work.cache} (multica repo rescue list)\n`);
  const moved = reports.flatMap((one) => one.moved).map((work) => `Kept for 30 days: ${work.path}: ${work.what}, moved to ${work.directory} (multica repo rescue drop ${work.id} deletes it)\n`);
  return `${table.trimEnd()}\n${saved.join("")}${moved.join("")}`;
}
