import { workspaceInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { requireAdmin, requireHuman, scopeFromPath } from "../../http/scope.ts";
import { type MemberRow, type WorkspaceRow, memberWire, workspaceWire } from "../../rows/index.ts";
import { createWorkspace, updateWorkspace } from "../../services/workspaces.ts";
import { inTransaction } from "../../transaction.ts";

/** Workspaces and their members (server-api.md 13.2). */
export function workspaceRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/workspaces", (c) => {
    const { userId, workspaceId } = c.get("principal");
    const sql = `SELECT w.* FROM workspace w JOIN member m ON m.workspace_id = w.id
      WHERE m.user_id = :userId AND (:only IS NULL OR w.id = :only) ORDER BY w.created_at, w.id`;
    return json(all<WorkspaceRow>(ctx.db, sql, { userId, only: workspaceId ?? null }).map(workspaceWire));
  });

  app.post("/api/workspaces", async (c) => {
    requireHuman(c);
    const input = await readBody(c, workspaceInputSchema);
    return json(workspaceWire(inTransaction(ctx, (tx) => createWorkspace(tx, c.get("principal").userId, input))), 201);
  });

  app.get("/api/workspaces/:id", (c) => json(workspaceWire(scopeFromPath(ctx, c).workspace)));

  const change = async (c: AppContext): Promise<Response> => {
    const scope = scopeFromPath(ctx, c);
    requireHuman(c);
    requireAdmin(scope);
    const input = await readBody(c, workspaceInputSchema);
    return json(workspaceWire(inTransaction(ctx, (tx) => updateWorkspace(tx, scope.workspace, input))));
  };
  app.put("/api/workspaces/:id", change);
  app.patch("/api/workspaces/:id", change);

  app.get("/api/workspaces/:id/members", (c) => {
    const { workspace } = scopeFromPath(ctx, c);
    const sql = `SELECT m.*, u.name, u.email, u.avatar_url FROM member m JOIN user u ON u.id = m.user_id
      WHERE m.workspace_id = :id ORDER BY m.created_at, m.id`;
    return json(all<MemberRow & { name: string; email: string; avatar_url: string | null }>(ctx.db, sql, { id: workspace.id }).map(memberWire));
  });
}
