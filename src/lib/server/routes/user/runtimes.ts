import { runtimeCascadeSchema, runtimePatchSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { HttpError } from "../../http-error.ts";
import { intQuery, readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { requireHuman, scopeOf } from "../../http/scope.ts";
import { type RuntimeRow, runtimeWire } from "../../rows/index.ts";
import { deleteRuntime, deleteRuntimeOfAgents, loadRuntime, updateRuntime } from "../../services/runtimes.ts";
import { runtimeActivity, runtimeUsage } from "../../services/usage.ts";
import { inTransaction } from "../../transaction.ts";

const DAY_MS = 24 * 3_600_000;

/** Runtimes as users see them (server-api.md 13.10). */
export function runtimeRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/runtimes", (c) => {
    const { workspace, actor } = scopeOf(ctx, c);
    const owner = c.req.query("owner") === "me" ? actor.userId : null;
    const sql = `SELECT * FROM agent_runtime WHERE workspace_id = :workspaceId AND (:owner IS NULL OR owner_id = :owner)
      ORDER BY created_at, id`;
    return json(all<RuntimeRow>(ctx.db, sql, { workspaceId: workspace.id, owner }).map(runtimeWire));
  });

  const usage = (c: AppContext): { id: string; since: number } => {
    const { workspace } = scopeOf(ctx, c);
    const runtime = loadRuntime(ctx.db, workspace.id, uuidOf(c.req.param("id"), "runtime id"));
    return { id: runtime.id, since: ctx.clock.now() - Math.max(1, intQuery(c, "days", 30, 365)) * DAY_MS };
  };
  app.get("/api/runtimes/:id/usage", (c) => {
    const { id, since } = usage(c);
    return json(runtimeUsage(ctx.db, id, since));
  });
  app.get("/api/runtimes/:id/activity", (c) => {
    const { id, since } = usage(c);
    return json(runtimeActivity(ctx.db, id, since));
  });

  app.patch("/api/runtimes/:id", async (c) => {
    const runtime = ownRuntime(ctx, c);
    const patch = await readBody(c, runtimePatchSchema);
    return json(runtimeWire(inTransaction(ctx, (tx) => updateRuntime(tx, runtime, patch))));
  });

  app.delete("/api/runtimes/:id", (c) => {
    const runtime = ownRuntime(ctx, c);
    inTransaction(ctx, (tx) => deleteRuntime(tx, runtime));
    return json({ status: "ok" });
  });

  const cascade = async (c: AppContext): Promise<Response> => {
    const runtime = ownRuntime(ctx, c);
    const { expected_active_agent_ids: expected } = await readBody(c, runtimeCascadeSchema);
    return json(inTransaction(ctx, (tx) => deleteRuntimeOfAgents(tx, runtime, expected)));
  };
  app.post("/api/runtimes/:id/unbind-agents-and-delete", cascade);
  app.post("/api/runtimes/:id/archive-agents-and-delete", cascade);
}

function ownRuntime(ctx: ServerContext, c: AppContext): RuntimeRow {
  const { workspace, role, actor } = scopeOf(ctx, c);
  requireHuman(c);
  const runtime = loadRuntime(ctx.db, workspace.id, uuidOf(c.req.param("id"), "runtime id"));
  if (role === "member" && runtime.owner_id !== actor.userId) throw new HttpError(403, "you can only edit your own runtimes");
  return runtime;
}
