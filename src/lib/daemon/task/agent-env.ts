import { delimiter } from "node:path";

/** Refused in an agent's own environment, besides everything that begins with `MULTICA_` (daemon.md 11.9). */
const REFUSED: ReadonlySet<string> = new Set([
  "HOME",
  "PATH",
  "USER",
  "SHELL",
  "TERM",
  "CODEX_HOME",
  "CURSOR_DATA_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_INCLUDE_ROOTS",
  "TMPDIR",
  "TMP",
  "TEMP",
  "REASONIX_STATE_HOME",
  "CURSOR_MCP_AUTH_SOURCE",
]);

/** Variables by which one Claude tells another that it runs inside it (agents.md 4.5). */
const NESTED_CLAUDE: ReadonlySet<string> = new Set([
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_EXECPATH",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SSE_PORT",
]);

export interface AgentEnvInput {
  /** What the daemon itself was started with. */
  readonly daemonEnv: Readonly<Record<string, string>>;
  readonly taskToken: string;
  readonly serverUrl: string;
  readonly localPort: number;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly taskId: string;
  readonly slot: number;
  readonly workspacesRoot: string;
  /** Private temporary directory of the task. */
  readonly tempDir: string;
  /** Directory of the `multica` launcher. */
  readonly launcherDir: string;
  /** What the environment asks for: provider homes, the task's configuration root, the checkout mode. */
  readonly environment: Readonly<Record<string, string>>;
  readonly customEnv: Readonly<Record<string, string>>;
}

export interface AgentEnv {
  readonly env: Record<string, string>;
  /** Names of custom variables that were left out; their values are never shown. */
  readonly refused: string[];
}

/**
 * The whole environment of an agent's process: the daemon's without its own secrets, then the task's variables,
 * then what the agent's owner set and may set (daemon.md 11.9, agents.md 4.5).
 */
export function buildAgentEnv(input: AgentEnvInput): AgentEnv {
  const env: Record<string, string> = {
    ...inherited(input.daemonEnv),
    MULTICA_TOKEN: input.taskToken,
    MULTICA_SERVER_URL: input.serverUrl,
    MULTICA_DAEMON_PORT: String(input.localPort),
    MULTICA_WORKSPACE_ID: input.workspaceId,
    MULTICA_AGENT_NAME: input.agentName,
    MULTICA_AGENT_ID: input.agentId,
    MULTICA_TASK_ID: input.taskId,
    MULTICA_TASK_SLOT: String(input.slot),
    MULTICA_TASK_WORKSPACES_ROOT: input.workspacesRoot,
    TMPDIR: input.tempDir,
    TMP: input.tempDir,
    TEMP: input.tempDir,
    PATH: [input.launcherDir, input.daemonEnv["PATH"] ?? ""].filter((part) => part !== "").join(delimiter),
    ...input.environment,
  };
  const refused: string[] = [];
  for (const [name, value] of Object.entries(input.customEnv)) {
    if (isRefused(name) || value.includes("\0")) refused.push(name);
    else env[name] = value;
  }
  return { env, refused };
}

function inherited(daemonEnv: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(daemonEnv).filter(([name]) => {
    const upper = name.toUpperCase();
    return !upper.startsWith("MULTICA_") && !NESTED_CLAUDE.has(name) && !name.startsWith("CLAUDECODE_");
  });
  return Object.fromEntries(kept);
}

function isRefused(name: string): boolean {
  const upper = name.toUpperCase();
  return upper.startsWith("MULTICA_") || REFUSED.has(upper) || name === "" || name.includes("=") || name.includes("\0");
}
