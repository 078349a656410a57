import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { EXIT, isObject, MulticaError, parseJson } from "../core/index.ts";
import { settingsPath } from "./paths.ts";

/** What the settings file may hold (cli.md 4.3). Keys this version does not know stay in the file untouched. */
export interface Settings {
  readonly server_url?: string;
  readonly app_url?: string;
  readonly workspace_id?: string;
  readonly token?: string;
  readonly device_name?: string;
  readonly runtime_name?: string;
  readonly workspaces_root?: string;
  readonly max_concurrent_tasks?: number;
  readonly poll_interval?: string;
  readonly heartbeat_interval?: string;
  readonly agent_timeout?: string;
  readonly codex_semantic_inactivity_timeout?: string;
  readonly codex_handshake_timeout?: string;
  readonly auto_update_check_interval?: string;
  readonly disable_auto_update?: boolean;
  readonly disable_auto_reload?: boolean;
  /** False: processes of a conversation stay parked when its next task starts. */
  readonly exec_auto_reattach?: boolean;
  /** auto, plain or systemd-run: how the hosts of commands are started. */
  readonly exec_launcher?: string;
  /** child or host: whether agents end with the daemon. */
  readonly agent_transport?: string;
  /** auto, isolated or linked. */
  readonly repo_checkout_mode?: string;
  /** More Codex homes to look into, absolute. */
  readonly index_homes?: readonly string[];
  readonly backends?: Readonly<Record<string, unknown>>;
  /** Runtime profile id → absolute path of its command on this machine; never sent to a server. */
  readonly profile_command_overrides?: Readonly<Record<string, string>>;
}

const TEXTS = [
  "server_url",
  "app_url",
  "workspace_id",
  "token",
  "device_name",
  "runtime_name",
  "workspaces_root",
  "poll_interval",
  "heartbeat_interval",
  "agent_timeout",
  "codex_semantic_inactivity_timeout",
  "codex_handshake_timeout",
  "auto_update_check_interval",
  "repo_checkout_mode",
  "agent_transport",
  "exec_launcher",
] as const;

/**
 * Reads a profile's settings as plain JSON: the fast path of every command. A missing or empty file is an empty object;
 * a value of the wrong type counts as absent. Throws `settings_unreadable` (exit 1, names the file) for anything else.
 */
export function readSettings(stateDir: string): Settings {
  const raw = readRawSettings(stateDir);
  const settings: Record<string, unknown> = {};
  for (const key of TEXTS) {
    const value = raw[key];
    if (typeof value === "string" && value.trim() !== "") settings[key] = value.trim();
  }
  if (Number.isInteger(raw["max_concurrent_tasks"])) settings["max_concurrent_tasks"] = raw["max_concurrent_tasks"];
  for (const key of ["disable_auto_update", "disable_auto_reload", "exec_auto_reattach"]) {
    if (typeof raw[key] === "boolean") settings[key] = raw[key];
  }
  if (Array.isArray(raw["index_homes"])) settings["index_homes"] = raw["index_homes"].filter((path) => typeof path === "string" && isAbsolute(path));
  if (isObject(raw["backends"])) settings["backends"] = raw["backends"];
  if (isObject(raw["profile_command_overrides"])) settings["profile_command_overrides"] = pathMap(raw["profile_command_overrides"]);
  return settings;
}

/** The file's whole object, unknown keys included; same errors as `readSettings`. */
export function readRawSettings(stateDir: string): Record<string, unknown> {
  const path = settingsPath(stateDir);
  const text = readText(path);
  if (text.trim() === "") return {};
  const value = parseJson(text);
  if (isObject(value)) return value;
  throw unreadable(path, value === undefined ? "it is not valid JSON" : "it does not hold a JSON object");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return "";
    throw unreadable(path, `it cannot be read (${code ?? "unknown reason"})`, error);
  }
}

function unreadable(path: string, why: string, cause?: unknown): MulticaError {
  return new MulticaError("settings_unreadable", `the configuration file ${path} cannot be used: ${why}`, {
    exit: EXIT.failed,
    cause,
    suggestions: ["Repair the file or move it away; multica never overwrites a file it cannot read."],
    details: { path },
  });
}

function pathMap(value: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(value).filter((entry): entry is [string, string] => {
    return entry[0].trim() !== "" && typeof entry[1] === "string" && entry[1].trim() !== "";
  });
  return Object.fromEntries(entries.map(([id, path]) => [id.trim(), path.trim()]));
}
