import { delimiter } from "node:path";
import { filterCustomEnvironment } from "../../agents/index.ts";
import { isObject, parseJson } from "../../core/index.ts";
import type { Task, TaskAgent } from "../../wire/index.ts";
import { hasText, workKind } from "./kind.ts";

export interface AgentEnvInput {
  /** The daemon's own PATH; the launcher's directory goes before it. */
  readonly path: string;
  readonly taskToken: string;
  readonly serverUrl: string;
  readonly localPort: number;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly taskId: string;
  readonly slot: number;
  /** Private temporary directory of the task. */
  readonly tempDir: string;
  /** Directory of the `multica` launcher. */
  readonly launcherDir: string;
  /** What the environment asks for: provider homes, the task's configuration root, the checkout mode. */
  readonly environment: Readonly<Record<string, string>>;
  /** What commands of this kind of task look for. */
  readonly work: Readonly<Record<string, string>>;
  readonly customEnv: Readonly<Record<string, string>>;
}

export interface AgentEnv {
  readonly env: Record<string, string>;
  /** Names of custom variables that were left out; their values are never shown. */
  readonly refused: string[];
}

/**
 * What is laid over the daemon's cleaned environment for one agent (daemon.md 11.9): the task's identity, our own
 * `multica` first on PATH, the environment's homes, then what the agent's owner set and may set.
 */
export function buildAgentEnv(input: AgentEnvInput): AgentEnv {
  const custom = filterCustomEnvironment(input.customEnv);
  const refused = [...custom.refused];
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(custom.env)) {
    // A process cannot be started with a NUL in its environment; the source of Cursor's credentials is the daemon's to set.
    if (value.includes("\0") || name.toUpperCase() === "CURSOR_MCP_AUTH_SOURCE") refused.push(name);
    else allowed[name] = value;
  }
  const env = {
    MULTICA_TOKEN: input.taskToken,
    MULTICA_SERVER_URL: input.serverUrl,
    MULTICA_DAEMON_PORT: String(input.localPort),
    MULTICA_WORKSPACE_ID: input.workspaceId,
    MULTICA_AGENT_NAME: input.agentName,
    MULTICA_AGENT_ID: input.agentId,
    MULTICA_TASK_ID: input.taskId,
    MULTICA_TASK_SLOT: String(input.slot),
    ...input.work,
    TMPDIR: input.tempDir,
    TMP: input.tempDir,
    TEMP: input.tempDir,
    PATH: [input.launcherDir, input.path].filter((part) => part !== "").join(delimiter),
    ...input.environment,
    ...allowed,
  };
  return { env, refused };
}

/** Variables that only tasks of some kinds have (daemon.md 11.9, item 2). */
export function workEnv(task: Task): Record<string, string> {
  const env: Record<string, string> = {};
  if (hasText(task.autopilot_run_id)) env["MULTICA_AUTOPILOT_RUN_ID"] = task.autopilot_run_id;
  if (hasText(task.autopilot_id)) env["MULTICA_AUTOPILOT_ID"] = task.autopilot_id;
  if (workKind(task) !== "quick_create") return env;
  env["MULTICA_QUICK_CREATE_TASK_ID"] = task.id;
  const attachments = task.quick_create_attachment_ids ?? [];
  if (attachments.length > 0) env["MULTICA_QUICK_CREATE_ATTACHMENT_IDS"] = JSON.stringify(attachments);
  return env;
}

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIAL/i;

/**
 * Values that must never appear in a transcript or a report: the task's token, and what the agent's owner hides in its
 * variables, in those of its MCP servers, and in their headers.
 */
export function secretsOf(token: string, agent: Pick<TaskAgent, "custom_env" | "mcp_config">): string[] {
  const servers = serversOf(agent.mcp_config);
  // Codex has its own word for headers.
  const headers = servers.flatMap((server) => [server["headers"], server["http_headers"]]).flatMap((values) => hidden(values, /./));
  return [token, ...hidden(agent.custom_env, SECRET_NAME), ...servers.flatMap((server) => hidden(server["env"], SECRET_NAME)), ...headers];
}

function hidden(values: unknown, names: RegExp): string[] {
  if (!isObject(values)) return [];
  return Object.entries(values).flatMap(([name, value]) => (typeof value === "string" && names.test(name) ? [value] : []));
}

function serversOf(config: unknown): Readonly<Record<string, unknown>>[] {
  const value = typeof config === "string" ? parseJson(config) : config;
  const servers = isObject(value) ? value["mcpServers"] : undefined;
  return isObject(servers) ? Object.values(servers).filter(isObject) : [];
}
