import { sha256Hex } from "../../../core/index.ts";
import { deregisterRequestSchema, heartbeatRequestSchema, registerRequestSchema } from "../../../wire/index.ts";
import type { Principal } from "../../auth/authenticate.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { readBody } from "../../http/body.ts";
import type { App } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { badRequest } from "../../http-error.ts";
import { type RuntimeProfileRow, profileWire, runtimeWire } from "../../rows/index.ts";
import { findRuntime, requireRuntime, requireWorkspace } from "../../services/daemon/access.ts";
import { takeOffline, touchRuntime } from "../../services/daemon/presence.ts";
import { registerFailure, registerRuntimes, repoFacts } from "../../services/daemon/register.ts";
import { popRequests } from "../../services/requests/store.ts";
import { recoverOrphans } from "../../services/tasks/fail.ts";
import { inTransaction } from "../../transaction.ts";
import { capabilitiesOf } from "./capabilities.ts";

/** Who is there and what it may serve (server-api.md 4, 6.12). */
export function presenceRoutes(app: App, ctx: ServerContext): void {
  app.post("/api/daemon/register", async (c) => {
    const request = await readBody(c, registerRequestSchema);
    if (request.workspace_id === "") throw badRequest("workspace_id is required");
    const principal = c.get("principal");
    const workspace = requireWorkspace(ctx, principal, request.workspace_id);
    try {
      const facts = { workspace, principal, request, capabilities: capabilitiesOf(c) };
      const rows = inTransaction(ctx, (tx) => registerRuntimes(tx, facts));
      return json({ runtimes: rows.map(runtimeWire), ...repoFacts(workspace) });
    } catch (error) {
      throw registerFailure(error);
    }
  });

  app.post("/api/daemon/deregister", async (c) => {
    const request = await readBody(c, deregisterRequestSchema);
    if (request.runtime_ids.length === 0) throw badRequest("runtime_ids is required");
    const reasons = (request["offline_reasons"] ?? {}) as Record<string, unknown>;
    inTransaction(ctx, (tx) => {
      for (const id of request.runtime_ids) {
        const runtime = findRuntime(ctx, c.get("principal"), id);
        if (runtime !== undefined) takeOffline(tx, runtime, reasons[id]);
      }
    });
    return json({ status: "ok" });
  });

  app.post("/api/daemon/heartbeat", async (c) => {
    const request = await readBody(c, heartbeatRequestSchema);
    if (request.runtime_id === "") throw badRequest("runtime_id is required");
    const runtime = requireRuntime(ctx, c.get("principal"), request.runtime_id);
    const pending = inTransaction(ctx, (tx) => {
      touchRuntime(tx, runtime.id);
      return popRequests(tx, runtime.id, request.supports_batch_import === true);
    });
    return json({ status: "ok", ...pending });
  });

  app.post("/api/daemon/runtimes/:runtimeId/recover-orphans", (c) => {
    const runtime = requireRuntime(ctx, c.get("principal"), c.req.param("runtimeId"));
    return json(inTransaction(ctx, (tx) => recoverOrphans(tx, runtime.id)));
  });

  app.get("/api/daemon/workspaces", (c) => {
    const body = workspacesOf(ctx, c.get("principal"));
    const etag = `W/"${sha256Hex(JSON.stringify(body))}"`;
    const headers = { etag, "cache-control": "private, no-cache" };
    if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
    return json(body, 200, headers);
  });

  app.get("/api/daemon/workspaces/:workspaceId/repos", (c) => {
    const workspace = requireWorkspace(ctx, c.get("principal"), c.req.param("workspaceId"));
    return json({ workspace_id: workspace.id, ...repoFacts(workspace) });
  });

  app.get("/api/daemon/workspaces/:workspaceId/runtime-profiles", (c) => {
    const workspace = requireWorkspace(ctx, c.get("principal"), c.req.param("workspaceId"));
    const sql = "SELECT * FROM runtime_profile WHERE workspace_id = :id AND enabled = 1 ORDER BY created_at, id";
    const profiles = all<RuntimeProfileRow>(ctx.db, sql, { id: workspace.id });
    return json({ workspace_id: workspace.id, runtime_profiles: profiles.map(profileWire) });
  });
}

function workspacesOf(ctx: ServerContext, principal: Principal): { id: string; name: string }[] {
  if (principal.kind === "daemon") {
    return all(ctx.db, "SELECT id, name FROM workspace WHERE id = :id", { id: principal.workspaceId ?? "" });
  }
  return all(
    ctx.db,
    `SELECT w.id, w.name FROM workspace w JOIN member m ON m.workspace_id = w.id
     WHERE m.user_id = :userId ORDER BY w.created_at, w.id`,
    { userId: principal.userId },
  );
}
