import type { DaemonFlags } from "../../config/index.ts";

/** Start flags that are handed on besides those of `DaemonFlags`. */
export interface ForwardedExtras {
  readonly profile: string;
  readonly noState?: boolean;
}

const NAMES: readonly (readonly [keyof DaemonFlags, string])[] = [
  ["serverUrl", "--server-url"],
  ["daemonId", "--daemon-id"],
  ["deviceName", "--device-name"],
  ["runtimeName", "--runtime-name"],
  ["workspacesRoot", "--workspaces-root"],
  ["pollInterval", "--poll-interval"],
  ["heartbeatInterval", "--heartbeat-interval"],
  ["agentTimeout", "--agent-timeout"],
  ["codexSemanticInactivityTimeout", "--codex-semantic-inactivity-timeout"],
  ["codexHandshakeTimeout", "--codex-handshake-timeout"],
  ["autoUpdateInterval", "--auto-update-interval"],
];

/**
 * The arguments for the background child: only what the user gave (daemon.md 2.4). Environment and settings are not baked in,
 * so that a restart picks up edits; `--agent-timeout 0` and `--port 0` are values, not "unset".
 */
export function forwardedFlags(flags: DaemonFlags, extras: ForwardedExtras): string[] {
  const args: string[] = [];
  for (const [key, name] of NAMES) {
    const value = flags[key];
    if (typeof value === "string" && value.trim() !== "") args.push(name, value);
  }
  if (flags.maxConcurrentTasks !== undefined && flags.maxConcurrentTasks > 0) args.push("--max-concurrent-tasks", String(flags.maxConcurrentTasks));
  if (flags.port !== undefined) args.push("--port", String(flags.port));
  if (flags.noAutoUpdate === true) args.push("--no-auto-update");
  if (flags.noAutoReload === true) args.push("--no-auto-reload");
  if (extras.noState === true) args.push("--no-state");
  if (extras.profile !== "") args.push("--profile", extras.profile);
  return args;
}
