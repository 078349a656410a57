import type { DaemonFlags } from "../lib/config/index.ts";
import { countFlag, switchFlag, textFlag } from "./flags.ts";

/** The flags of `daemon start` and `daemon restart` (cli.md 5.4). */
export const daemonFlags = {
  foreground: switchFlag("run in this process instead of in the background"),
  port: countFlag("local port; 0 takes any free one and publishes it in daemon.json", { max: 65_535 }),
  "daemon-id": textFlag("fixed id of this machine (MULTICA_DAEMON_ID)", { helpValue: "<id>" }),
  "device-name": textFlag("name of this machine (MULTICA_DAEMON_DEVICE_NAME)", { helpValue: "<name>" }),
  "runtime-name": textFlag("name of the runtimes (MULTICA_AGENT_RUNTIME_NAME)", { helpValue: "<name>" }),
  "workspaces-root": textFlag("where environments are made (MULTICA_WORKSPACES_ROOT)", { helpValue: "<dir>" }),
  "poll-interval": textFlag("how often to ask for work (MULTICA_DAEMON_POLL_INTERVAL, 30s)", { helpValue: "<duration>" }),
  "heartbeat-interval": textFlag("how often to report (MULTICA_DAEMON_HEARTBEAT_INTERVAL, 15s)", { helpValue: "<duration>" }),
  "agent-timeout": textFlag("wall-clock cap of a run (MULTICA_AGENT_TIMEOUT, 0 = none)", { helpValue: "<duration>" }),
  "codex-semantic-inactivity-timeout": textFlag("MULTICA_CODEX_SEMANTIC_INACTIVITY_TIMEOUT, 10m", { helpValue: "<duration>" }),
  "codex-handshake-timeout": textFlag("MULTICA_CODEX_HANDSHAKE_TIMEOUT, 30s", { helpValue: "<duration>" }),
  "max-concurrent-tasks": countFlag("tasks at once (MULTICA_DAEMON_MAX_CONCURRENT_TASKS, 20)", { min: 0, max: 1000 }),
  "no-auto-update": switchFlag("do not look for newer releases (MULTICA_DAEMON_AUTO_UPDATE=false)"),
  "auto-update-interval": textFlag("how often to look for a newer release (MULTICA_DAEMON_AUTO_UPDATE_INTERVAL, 6h)", { helpValue: "<duration>" }),
  "no-auto-reload": switchFlag("keep running when the program on disk is replaced (MULTICA_DAEMON_AUTO_RELOAD=false)"),
  "no-state": switchFlag("work without the state file: weaker recovery after a crash"),
  ensure: switchFlag("an already running daemon is success"),
  wait: textFlag("how long to wait until it is ready (45s)", { helpValue: "<duration>" }),
};

export interface DaemonFlagValues {
  readonly "server-url"?: string | undefined;
  readonly port?: number | undefined;
  readonly "daemon-id"?: string | undefined;
  readonly "device-name"?: string | undefined;
  readonly "runtime-name"?: string | undefined;
  readonly "workspaces-root"?: string | undefined;
  readonly "poll-interval"?: string | undefined;
  readonly "heartbeat-interval"?: string | undefined;
  readonly "agent-timeout"?: string | undefined;
  readonly "codex-semantic-inactivity-timeout"?: string | undefined;
  readonly "codex-handshake-timeout"?: string | undefined;
  readonly "max-concurrent-tasks"?: number | undefined;
  readonly "no-auto-update"?: boolean | undefined;
  readonly "auto-update-interval"?: string | undefined;
  readonly "no-auto-reload"?: boolean | undefined;
}

/** The same flags under the names of the configuration. */
export function toDaemonFlags(flags: DaemonFlagValues): DaemonFlags {
  return {
    serverUrl: flags["server-url"],
    port: flags.port,
    daemonId: flags["daemon-id"],
    deviceName: flags["device-name"],
    runtimeName: flags["runtime-name"],
    workspacesRoot: flags["workspaces-root"],
    pollInterval: flags["poll-interval"],
    heartbeatInterval: flags["heartbeat-interval"],
    agentTimeout: flags["agent-timeout"],
    codexSemanticInactivityTimeout: flags["codex-semantic-inactivity-timeout"],
    codexHandshakeTimeout: flags["codex-handshake-timeout"],
    maxConcurrentTasks: flags["max-concurrent-tasks"],
    noAutoUpdate: flags["no-auto-update"],
    autoUpdateInterval: flags["auto-update-interval"],
    noAutoReload: flags["no-auto-reload"],
  };
}
