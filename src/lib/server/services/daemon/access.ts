import { isUuid } from "../../../core/index.ts";
import { type Principal, mayEnterWorkspace } from "../../auth/authenticate.ts";
import type { ServerContext } from "../../context.ts";
import { one } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import type { RuntimeRow, TaskRow, WorkspaceRow } from "../../rows/index.ts";
import { findTask } from "../tasks/store.ts";

// Daemons act on these 404 texts by deleting state or stopping agents (server-api.md 2.3): they are thrown only when the
// row does not exist or is not the caller's. A database failure passes through as it is and becomes a 5xx.

/** The workspace when the credential may act in it, else 404 `workspace not found`. */
export function requireWorkspace(ctx: ServerContext, principal: Principal, id: string): WorkspaceRow {
  const row = one<WorkspaceRow>(ctx.db, "SELECT * FROM workspace WHERE id = :id", { id: uuid(id, "workspace_id") });
  if (row === undefined || !mayEnterWorkspace(ctx, principal, row.id)) throw notFound("workspace");
  return row;
}

/** The runtime when the credential may act in its workspace, else 404 `runtime not found`. */
export function requireRuntime(ctx: ServerContext, principal: Principal, id: string): RuntimeRow {
  const row = findRuntime(ctx, principal, uuid(id, "runtime_id"));
  if (row === undefined) throw notFound("runtime");
  return row;
}

/** Like requireRuntime, undefined instead of 404, also for a malformed id: for lists, where strangers are skipped. */
export function findRuntime(ctx: ServerContext, principal: Principal, id: string): RuntimeRow | undefined {
  if (!isUuid(id)) return undefined;
  const row = one<RuntimeRow>(ctx.db, "SELECT * FROM agent_runtime WHERE id = :id", { id: id.toLowerCase() });
  return row !== undefined && mayEnterWorkspace(ctx, principal, row.workspace_id) ? row : undefined;
}

/** The task when the credential may act in its workspace, else 404 `task not found`. */
export function requireTask(ctx: ServerContext, principal: Principal, id: string): TaskRow {
  const row = findTask(ctx.db, uuid(id, "task_id"));
  if (row === undefined || !mayEnterWorkspace(ctx, principal, row.workspace_id)) throw notFound("task");
  return row;
}

function uuid(id: string, field: string): string {
  if (!isUuid(id)) throw badRequest(`invalid ${field}`);
  return id.toLowerCase();
}
