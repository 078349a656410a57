import { isUuid } from "../../core/index.ts";
import type { AgentInput } from "../../wire/index.ts";
import { one } from "../db/query.ts";
import { HttpError, badRequest } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import type { AgentRow, InvocationTarget, RuntimeRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

export type Columns = Record<string, string | number | null>;

/** Fields that decide what is executed on a machine: an agent must not write them for another agent or for itself. */
const EXECUTION_FIELDS = ["custom_env", "custom_args", "mcp_config", "runtime_config"] as const;

/** Checks a create or update of an agent and returns the columns it sets (server-api.md 13.9.1, 13.9.2). Throws 400 or 403. */
export function agentColumns(tx: Tx, scope: Scope, input: AgentInput): Columns {
  if (scope.actor.type === "agent" && EXECUTION_FIELDS.some((key) => input[key] !== undefined)) {
    throw new HttpError(403, `agents may not set ${EXECUTION_FIELDS.join(", ")}`);
  }
  const columns: Columns = {};
  if (input.name !== undefined) {
    columns["name"] = input.name.trim();
    if (columns["name"] === "") throw badRequest("name is required");
  }
  if (input.runtime_id !== undefined) columns["runtime_id"] = usableRuntime(tx, scope, input.runtime_id).id;
  if (input.description !== undefined) {
    columns["description"] = input.description ?? "";
    if ([...String(columns["description"])].length > 255) throw badRequest("description exceeds 255 characters");
  }
  for (const key of ["instructions", "model", "thinking_level", "service_tier"] as const) {
    const value = input[key];
    if (value !== undefined) columns[key] = value ?? "";
  }
  if (input.avatar_url !== undefined) columns["avatar_url"] = input.avatar_url;
  if (input.max_concurrent_tasks !== undefined) {
    const count = input.max_concurrent_tasks;
    if (count < 1 || count > 50) throw badRequest("max_concurrent_tasks must be between 1 and 50");
    columns["max_concurrent_tasks"] = count;
  }
  if (input.custom_args !== undefined) columns["custom_args"] = JSON.stringify(input.custom_args);
  if (input.runtime_config !== undefined) columns["runtime_config"] = JSON.stringify(input.runtime_config ?? {});
  if (input.mcp_config !== undefined) columns["mcp_config"] = input.mcp_config === null ? null : JSON.stringify(input.mcp_config);
  return columns;
}

/** Who may start the agent's runs, as the two columns; empty when the input does not say (server-api.md 13.9.2). */
export function permissionColumns(tx: Tx, scope: Scope, input: AgentInput, current?: AgentRow): Columns {
  const mode = input.permission_mode ?? modeOfVisibility(input) ?? current?.permission_mode;
  if (input.permission_mode === undefined && input.visibility === undefined && input.invocation_targets === undefined) return {};
  if (mode !== "public_to") {
    if (mode !== undefined && mode !== "private") throw badRequest("permission_mode must be 'private' or 'public_to'");
    return { permission_mode: "private", invocation_targets: "[]" };
  }
  const targets = targetsOfInput(tx, scope, input);
  if (targets === undefined) return { permission_mode: mode };
  return { permission_mode: mode, invocation_targets: JSON.stringify(targets) };
}

function modeOfVisibility(input: AgentInput): string | undefined {
  switch (input.visibility) {
    case undefined:
      return undefined;
    case "private":
      return "private";
    case "workspace":
      return "public_to";
    default:
      throw badRequest("visibility must be 'private' or 'workspace'");
  }
}

function targetsOfInput(tx: Tx, scope: Scope, input: AgentInput): InvocationTarget[] | undefined {
  if (input.permission_mode === undefined && input.visibility === "workspace") return [{ target_type: "workspace", target_id: null }];
  return input.invocation_targets?.map((target): InvocationTarget => {
    const { target_type: type } = target;
    if (type === "workspace" || type === "team") return { target_type: type, target_id: target.target_id ?? null };
    if (type !== "member") throw badRequest("invalid invocation target type");
    const params = { workspaceId: scope.workspace.id, userId: target.target_id ?? "" };
    if (one(tx.db, "SELECT 1 FROM member WHERE workspace_id = :workspaceId AND user_id = :userId", params) === undefined) {
      throw badRequest("invocation target does not refer to a member of this workspace");
    }
    return { target_type: "member", target_id: params.userId };
  });
}

function usableRuntime(tx: Tx, scope: Scope, id: string): RuntimeRow {
  if (id.trim() === "") throw badRequest("runtime_id is required");
  if (!isUuid(id)) throw badRequest("invalid runtime_id");
  const sql = "SELECT * FROM agent_runtime WHERE id = :id AND workspace_id = :workspaceId";
  const runtime = one<RuntimeRow>(tx.db, sql, { id: id.toLowerCase(), workspaceId: scope.workspace.id });
  if (runtime === undefined) throw badRequest("invalid runtime_id");
  if (runtime.visibility === "private" && runtime.owner_id !== null && runtime.owner_id !== scope.actor.userId) {
    throw new HttpError(403, "this runtime is private to another user");
  }
  return runtime;
}
