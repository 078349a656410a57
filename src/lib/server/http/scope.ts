import { isUuid } from "../../core/index.ts";
import { mayEnterWorkspace, type Principal } from "../auth/authenticate.ts";
import type { Actor, ServerContext } from "../context.ts";
import { one } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import type { Role, WorkspaceRow } from "../rows/index.ts";
import type { AppContext } from "./env.ts";

/** A request that knows its workspace: who acts there, and what the human behind it may do. */
export interface Scope {
  readonly workspace: WorkspaceRow;
  readonly role: Role;
  readonly actor: Actor;
}

/** Workspace of a user route: token, then slug or id from the query, then from the headers (server-api.md 2.4). */
export function scopeOf(ctx: ServerContext, c: AppContext): Scope {
  const principal = c.get("principal");
  return enter(ctx, c, principal, requestedWorkspace(ctx, c, principal));
}

/** Workspace of a route below `/api/workspaces/{id}` (server-api.md 2.4): the path names it. */
export function scopeFromPath(ctx: ServerContext, c: AppContext): Scope {
  const principal = c.get("principal");
  const id = c.req.param("id") ?? "";
  if (!isUuid(id)) throw badRequest("invalid workspace_id");
  if (principal.workspaceId !== undefined && principal.workspaceId !== id.toLowerCase()) {
    throw new HttpError(403, "task token is bound to a different workspace");
  }
  return enter(ctx, c, principal, workspaceById(ctx, id.toLowerCase()));
}

/** True when a request of a route that can do without names a workspace, or its token does. */
export function namesWorkspace(c: AppContext): boolean {
  if (c.get("principal").workspaceId !== undefined) return true;
  const named = [c.req.query("workspace_slug"), c.req.header("x-workspace-slug"), c.req.query("workspace_id"), c.req.header("x-workspace-id")];
  return first(...named) !== undefined;
}

/** 403 unless the human is an owner or admin of the workspace. */
export function requireAdmin(scope: Scope): void {
  if (scope.role === "member") throw new HttpError(403, "insufficient permissions");
}

/** 403 for task tokens: what only the person may do, an agent must not do in the person's name (server-api.md 2.5). */
export function requireHuman(c: AppContext): void {
  if (c.get("principal").kind === "task") throw new HttpError(403, "this endpoint is only available to human actors");
}

function requestedWorkspace(ctx: ServerContext, c: AppContext, principal: Principal): WorkspaceRow | undefined {
  if (principal.workspaceId !== undefined) return workspaceById(ctx, principal.workspaceId);
  const slug = first(c.req.query("workspace_slug"), c.req.header("x-workspace-slug"));
  if (slug !== undefined) return one<WorkspaceRow>(ctx.db, "SELECT * FROM workspace WHERE slug = :slug", { slug });
  const id = first(c.req.query("workspace_id"), c.req.header("x-workspace-id"));
  if (id === undefined) throw badRequest("workspace_id or workspace_slug is required");
  if (!isUuid(id)) throw badRequest("invalid workspace_id");
  return workspaceById(ctx, id.toLowerCase());
}

function first(...values: (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== "");
}

function workspaceById(ctx: ServerContext, id: string): WorkspaceRow | undefined {
  return one<WorkspaceRow>(ctx.db, "SELECT * FROM workspace WHERE id = :id", { id });
}

function enter(ctx: ServerContext, c: AppContext, principal: Principal, workspace: WorkspaceRow | undefined): Scope {
  if (workspace === undefined || !mayEnterWorkspace(ctx, principal, workspace.id)) throw notFound("workspace");
  const sql = "SELECT role FROM member WHERE workspace_id = :workspaceId AND user_id = :userId";
  const member = one<{ role: Role }>(ctx.db, sql, { workspaceId: workspace.id, userId: principal.userId });
  return { workspace, role: member?.role ?? "member", actor: actorOf(ctx, c, principal, workspace.id) };
}

/** Who is recorded as acting (server-api.md 2.5). Two headers that agree with a real task make an agent; one makes nothing. */
function actorOf(ctx: ServerContext, c: AppContext, principal: Principal, workspaceId: string): Actor {
  const { userId } = principal;
  if (principal.kind === "task") {
    const { agentId, taskId } = principal;
    if (agentId === undefined || taskId === undefined) throw new HttpError(401, "invalid token");
    return { type: "agent", userId, agentId, taskId, workspaceId };
  }
  const agentId = c.req.header("x-agent-id")?.toLowerCase();
  const taskId = c.req.header("x-task-id")?.toLowerCase();
  if (agentId !== undefined && taskId !== undefined) {
    const sql = "SELECT 1 FROM task WHERE id = :taskId AND agent_id = :agentId AND workspace_id = :workspaceId";
    if (one(ctx.db, sql, { taskId, agentId, workspaceId }) !== undefined) {
      return { type: "agent", userId, agentId, taskId, workspaceId };
    }
  }
  return { type: "member", userId, workspaceId };
}
