import { pairsText, tableText, timeText } from "./table.ts";

interface Started {
  readonly status: string;
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  readonly log_path: string;
  readonly already_running: boolean;
}

/** What `daemon start` tells. */
export function startLine(result: Started): string {
  if (result.already_running) return `The daemon is already running (pid ${result.pid}, port ${result.port}).`;
  if (result.status === "starting") return `The daemon (pid ${result.pid}) is still starting; see ${result.log_path}.`;
  return `The daemon is running (pid ${result.pid}, port ${result.port}); its log is ${result.log_path}.`;
}

/** What `daemon stop` tells. */
export function stopLine(result: { readonly status: string; readonly pid: number | null }): string {
  if (result.status === "not_running") return "The daemon is not running.";
  if (result.status === "finishing") return `The daemon (pid ${result.pid ?? "?"}) is still finishing its tasks.`;
  return `The daemon (pid ${result.pid ?? "?"}) has stopped.`;
}

/** What runs on without the daemon, and how to end it. */
export function stayingLine(count: number): string {
  return `${count === 1 ? "1 command runs" : `${count} commands run`} on; the next daemon takes over. To end them: multica daemon start, then multica exec clean --all.`;
}

type Status = Readonly<Record<string, unknown>>;

/** `daemon status`: what a daemon said of itself, or that none runs. */
export function statusText(status: Status, profile: string): string {
  const title = profile === "" ? "Daemon" : `Daemon [${profile}]`;
  if (status["silent_pid"] !== undefined) return pairsText([[title, `not answering (pid ${text(status["silent_pid"])}): it is about to end, or hangs`]]);
  if (status["killed_pid"] !== undefined) return pairsText([[title, `stopped; the last one (pid ${text(status["killed_pid"])}) was killed or crashed: what it left running is seen to by the next start`]]);
  if (status["status"] === "stopped") return pairsText([[title, "stopped"]]) + conflictText(status["port_conflict"], profile);
  if (status["status"] === "starting") return pairsText([[title, `starting (pid ${text(status["pid"])})`]]);
  const launcher = text(status["launched_by"]);
  const skipped = [
    ...Object.entries((status["skipped_agents"] ?? {}) as Record<string, unknown>),
    ...(list(status["failed_profiles"]) as readonly Status[]).map((profile) => [text(profile["command_name"]), profile["reason"]] as const),
  ];
  return `${pairsText([
    [title, `${status["stopping"] === true ? "stopping" : "running"} (pid ${text(status["pid"])}, uptime ${text(status["uptime"])})${stoppingText(status)}`],
    ["Version", text(status["version"]) || text(status["cli_version"])],
    ...(status["port"] === undefined ? [] : ([["Port", text(status["port"])]] as const)),
    ...(launcher === "" ? [] : ([["Managed by", launcher === "desktop" ? "the desktop app" : launcher]] as const)),
    ...(text(status["reload_pending_reason"]) === "" ? [] : ([["Restart pending", text(status["reload_pending_reason"])]] as const)),
    ["Server", text(status["server_url"])],
    ...linkPairs(status),
    ["Agents", [...list(status["agents"]).map(text), ...customNames(status)].join(", ") || "none"],
    ...(skipped.length === 0 ? [] : ([["Skipped", skipped.map(([name, why]) => `${name} (${text(why)})`).join(", ")]] as const)),
    ["Workspaces", list(status["workspaces"]).length],
    ["Tasks", tasksText(status)],
    ...waitingReports(status["outbox"]),
    ...stateTrouble(status["state"]),
    ...(processText(status["exec_processes"]) === "" ? [] : ([["Commands", processText(status["exec_processes"])]] as const)),
    ...(text(status["waiting_for"]) === "" ? [] : ([["Waiting for", text(status["waiting_for"])]] as const)),
  ])}${waitingText(status)}`;
}

function stoppingText(status: Status): string {
  return status["stopping"] === true ? ": claims nothing more, ends when its tasks have or after 20 s" : "";
}

/** Agents of runtime profiles, by the name people gave them. */
function customNames(status: Status): string[] {
  return (list(status["custom_agents"]) as readonly Status[]).map((agent) => `${text(agent["name"])} (${text(agent["provider"])})`);
}

function linkPairs(status: Status): (readonly [string, string])[] {
  const link = status["link"] as { connected?: boolean; since?: string | null } | undefined;
  const beat = text(status["last_heartbeat_at"]);
  const since = text(link?.since);
  return [
    ...(link === undefined ? [] : ([["Link", `${link.connected === true ? "connected" : "not connected"}${since === "" ? "" : ` since ${timeText(since, 16)}`}`]] as const)),
    ...(beat === "" ? [] : ([["Last heartbeat", beat.slice(0, 19).replace("T", " ")]] as const)),
  ];
}

function tasksText(status: Status): string {
  const slots = status["slots"] as { total?: number; free?: number } | undefined;
  const count = text(status["active_task_count"]) || "0";
  const held = Number(status["resource_wait_task_count"] ?? 0);
  const why = held === 0 ? "" : `; ${held === 1 ? "1 waits" : `${held} wait`} for a directory that another task works in`;
  return `${slots?.total === undefined ? count : `${count} (${text(slots.free)} of ${slots.total} slots free)`}${why}`;
}

/** What takes no tasks, what waits and why, and what ended lately: a table each, where there is something. */
function waitingText(status: Status): string {
  const queue = (status["queue"] ?? {}) as { tasks?: readonly Record<string, unknown>[]; error?: string | null };
  const parked = list(status["parked"]) as readonly Record<string, unknown>[];
  const recent = list(status["recent"]) as readonly Record<string, unknown>[];
  const tables = [
    tableOf("Takes no tasks", ["RUNTIME", "WHY"], parked.map((one) => [text(one["runtime_id"]).slice(0, 8) || text(one["provider"]), text(one["reason"])])),
    tableOf("Waiting", ["TASK", "SINCE", "WHY"], (queue.tasks ?? []).map((one) => [text(one["task_id"]), timeText(text(one["queued_at"]), 16), text(one["text"])])),
    text(queue.error) === "" ? "" : `What waits could not be asked: ${text(queue.error)}\n`,
    tableOf("Ended", ["WHAT", "AT", "OUTCOME"], recent.slice(0, 8).map((one) => [`${text(one["kind"])} ${text(one["id"])}`, text(one["ended_at"]).slice(11, 19), [text(one["outcome"]), text(one["reason"])].filter((part) => part !== "").join(": ")])),
  ];
  return tables.filter((table) => table !== "").map((table) => `\n${table}`).join("");
}

function tableOf(title: string, headers: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? "" : `${title}:\n${tableText(headers, rows)}`;
}

function processText(counts: unknown): string {
  const { attached = 0, detached = 0 } = (counts ?? {}) as { attached?: number; detached?: number };
  return attached + detached === 0 ? "" : `${attached} attached, ${detached} detached`;
}

/** Reports that wait for the server, since when, and why. */
function waitingReports(outbox: unknown): (readonly [string, string])[] {
  if (typeof outbox !== "object" || outbox === null) return [];
  const { waiting, results, oldest_at: oldest, paused } = outbox as Readonly<Record<string, unknown>>;
  if (typeof waiting !== "number" || waiting === 0) return [];
  const since = typeof oldest === "string" ? ` since ${timeText(oldest, 16)}` : "";
  const why = paused === "away" ? "; the server cannot be reached" : paused === "auth" ? "; the server refuses the daemon's token" : "";
  return [["Reports", `${waiting} wait for the server${since}, ${text(results)} of them results${why}`]];
}

function stateTrouble(state: unknown): (readonly [string, string])[] {
  if (state === "memory") return [["State", "not kept on disk: a crash loses what is not delivered"]];
  if (state === "full" || state === "io") return [["State", `cannot be written (${state === "full" ? "the disk is full" : "the disk fails"}); no new tasks are taken`]];
  return [];
}

function conflictText(conflict: unknown, own: string): string {
  if (typeof conflict !== "object" || conflict === null) return "";
  const { port, profile } = conflict as { port?: unknown; profile?: unknown };
  const named = `the daemon of ${profile === "" ? "the default profile" : `profile ${text(profile)}`}`;
  const who =
    typeof profile !== "string" ? "something that does not say which profile it serves" : profile === own ? "a daemon with another state directory" : named;
  return `Port ${text(port)} is used by ${who}.\n`;
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
