import { delimiter, resolve } from "node:path";
import { EXIT, MulticaError } from "../core/index.ts";
import { settingDuration } from "./durations.ts";

type Kind = "text" | "path" | "count" | "duration" | "duration0" | "switch" | "onSwitch" | "checkoutMode" | "agentTransport" | "execLauncher" | "paths";

/** The keys of `config show` and `config set`, in the order of cli.md 4.3. Token and maps are not among them. */
export const SETTING_KEYS: Readonly<Record<string, Kind>> = {
  server_url: "text",
  app_url: "text",
  workspace_id: "text",
  device_name: "text",
  runtime_name: "text",
  workspaces_root: "path",
  max_concurrent_tasks: "count",
  poll_interval: "duration",
  heartbeat_interval: "duration",
  codex_semantic_inactivity_timeout: "duration",
  codex_handshake_timeout: "duration",
  auto_update_check_interval: "duration",
  agent_timeout: "duration0",
  disable_auto_update: "switch",
  disable_auto_reload: "switch",
  exec_auto_reattach: "onSwitch",
  exec_launcher: "execLauncher",
  agent_transport: "agentTransport",
  repo_checkout_mode: "checkoutMode",
  index_homes: "paths",
};

/**
 * The value a key is stored with, or undefined = remove the key (an empty text, a count of 0, a switch in its usual position).
 * Throws `bad_setting` (exit 2) for an unknown key, the token, and a value against the key's rule (cli.md 5.3).
 */
export function parseSetting(key: string, value: string, cwd: string): string | number | boolean | readonly string[] | undefined {
  const kind = Object.hasOwn(SETTING_KEYS, key) ? SETTING_KEYS[key] : undefined;
  if (kind === undefined) {
    throw bad(`${JSON.stringify(key)} cannot be set`, `Supported keys: ${Object.keys(SETTING_KEYS).join(", ")}.`);
  }
  if (value === "") return undefined;
  const trimmed = value.trim();
  switch (kind) {
    case "text":
      return value;
    case "path":
      return resolve(cwd, trimmed);
    case "paths":
      return trimmed.split(delimiter).flatMap((path) => (path.trim() === "" ? [] : [resolve(cwd, path.trim())]));
    case "count":
      if (!/^\d{1,6}$/.test(trimmed)) throw bad(`${key} must be an integer of at least 0`, 'Clear it with "".');
      return Number(trimmed) === 0 ? undefined : Number(trimmed);
    case "duration":
    case "duration0": {
      const ms = settingDuration(trimmed, key);
      if (ms < 0 || (ms === 0 && kind === "duration")) throw bad(`${key} must be a positive duration`, 'Clear it with "".');
      return trimmed;
    }
    case "checkoutMode":
      return parseCheckoutMode(trimmed) === "auto" ? undefined : trimmed;
    case "agentTransport":
      return parseAgentTransport(trimmed) === DEFAULT_TRANSPORT ? undefined : trimmed;
    case "execLauncher":
      return parseExecLauncher(trimmed) === "auto" ? undefined : trimmed;
    case "onSwitch":
      if (/^(?:true|1|t)$/i.test(trimmed)) return undefined;
      if (/^(?:false|0|f)$/i.test(trimmed)) return false;
      throw bad(`${key} must be true or false`, 'Clear it with "".');
    case "switch":
      if (/^(?:true|1|t)$/i.test(trimmed)) return true;
      if (/^(?:false|0|f)$/i.test(trimmed)) return undefined;
      throw bad(`${key} must be true or false`, 'Clear it with "".');
  }
}

/** How tasks' checkouts are made; `auto`: isolated where the agent's sandbox cannot reach the cache, linked otherwise. */
export type RepoCheckoutMode = "auto" | "isolated" | "linked";

/** Throws `bad_setting` (exit 2) for anything else. */
export function parseCheckoutMode(value: string): RepoCheckoutMode {
  if (value === "auto" || value === "isolated" || value === "linked") return value;
  throw bad(`repo_checkout_mode must be auto, isolated or linked, not ${JSON.stringify(value)}`, 'Clear it with "".');
}

/** How an agent's process is held: as a child that ends with the daemon, or under a host that outlives it (decision 12). */
export type AgentTransportKind = "child" | "host";

export const DEFAULT_TRANSPORT: AgentTransportKind = "child";

/** Throws `bad_setting` (exit 2) for anything else. */
export function parseAgentTransport(value: string): AgentTransportKind {
  if (value === "child" || value === "host") return value;
  throw bad(`agent_transport must be child or host, not ${JSON.stringify(value)}`, 'Clear it with "".');
}

/** How hosts are started; `auto`: in scopes of their own under a service manager whose user bus can be reached. */
export type ExecLauncherKind = "auto" | "plain" | "systemd-run";

/** Throws `bad_setting` (exit 2) for anything else. */
export function parseExecLauncher(value: string): ExecLauncherKind {
  if (value === "auto" || value === "plain" || value === "systemd-run") return value;
  throw bad(`exec_launcher must be auto, plain or systemd-run, not ${JSON.stringify(value)}`, 'Clear it with "".');
}

function bad(message: string, suggestion: string): MulticaError {
  return new MulticaError("bad_setting", message, { exit: EXIT.usage, suggestions: [suggestion] });
}
