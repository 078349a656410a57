import { parseJson } from "../../core/index.ts";
import { isoOrNull, isoSeconds } from "./time.ts";
import { objectColumn, objectsColumn, stringsColumn } from "./json-column.ts";

export interface AgentRow {
  id: string;
  workspace_id: string;
  runtime_id: string | null;
  name: string;
  description: string;
  instructions: string;
  avatar_url: string | null;
  custom_env: string;
  custom_args: string;
  mcp_config: string | null;
  runtime_config: string;
  model: string;
  thinking_level: string;
  service_tier: string;
  max_concurrent_tasks: number;
  permission_mode: "private" | "public_to";
  invocation_targets: string;
  owner_id: string | null;
  archived_at: number | null;
  archived_by: string | null;
  created_at: number;
  updated_at: number;
}

export interface InvocationTarget {
  target_type: "workspace" | "member" | "team";
  target_id: string | null;
}

/** Facts about an agent that stand in other tables; see services/agents.ts. */
interface AgentFacts {
  readonly runtimeMode: string;
  readonly status: "idle" | "working" | "offline";
  /** True hides the MCP configuration: it may hold credentials (server-api.md 13.9). */
  readonly redactMcp: boolean;
  /** As `GET …/skills` lists them. */
  readonly skills: readonly object[];
}

/** Who may invoke the agent; unknown target types are dropped. */
export function targetsOf(row: AgentRow): InvocationTarget[] {
  return objectsColumn(row.invocation_targets).flatMap((entry): InvocationTarget[] => {
    const type = entry["target_type"];
    if (type !== "workspace" && type !== "member" && type !== "team") return [];
    const id = entry["target_id"];
    return [{ target_type: type, target_id: typeof id === "string" ? id : null }];
  });
}

/** Agent as in server-api.md 13.9; never with the values of its environment. */
export function agentWire(row: AgentRow, facts: AgentFacts) {
  const targets = targetsOf(row);
  const envKeys = Object.keys(objectColumn(row.custom_env)).length;
  const hidden = facts.redactMcp && row.mcp_config !== null;
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    runtime_id: row.runtime_id ?? "",
    runtime_bound: row.runtime_id !== null,
    name: row.name,
    description: row.description,
    instructions: row.instructions,
    avatar_url: row.avatar_url,
    runtime_mode: facts.runtimeMode,
    runtime_config: objectColumn(row.runtime_config),
    custom_args: stringsColumn(row.custom_args),
    mcp_config: hidden || row.mcp_config === null ? null : (parseJson(row.mcp_config) ?? null),
    mcp_config_redacted: hidden,
    has_custom_env: envKeys > 0,
    custom_env_key_count: envKeys,
    visibility: targets.some((target) => target.target_type === "workspace") ? "workspace" : "private",
    permission_mode: row.permission_mode,
    invocation_targets: targets,
    status: facts.status,
    max_concurrent_tasks: row.max_concurrent_tasks,
    model: row.model,
    thinking_level: row.thinking_level,
    service_tier: row.service_tier,
    owner_id: row.owner_id,
    skills: facts.skills,
    disabled_runtime_skills: [],
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    archived_at: isoOrNull(row.archived_at),
    archived_by: row.archived_by,
  };
}
