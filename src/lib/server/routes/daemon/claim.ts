import { claimRequestSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { HttpError } from "../../http-error.ts";
import { type TaskRow, taskWire } from "../../rows/index.ts";
import { requireRuntime } from "../../services/daemon/access.ts";
import { claimForDaemon } from "../../services/daemon/claim-call.ts";
import { claimNext } from "../../services/tasks/claim.ts";
import { capabilitiesOf } from "./capabilities.ts";

/** How daemons get work (server-api.md 5). */
export function claimRoutes(app: App, ctx: ServerContext): void {
  app.post("/api/daemon/runtimes/:runtimeId/tasks/claim", (c) => {
    const runtime = requireRuntime(ctx, c.get("principal"), c.req.param("runtimeId"));
    const outcome = claimNext(ctx, runtime.id, capabilitiesOf(c));
    switch (outcome.kind) {
      case "task":
        return json({ task: outcome.task });
      case "empty":
        return json({ task: null });
      case "cancelled":
        throw new HttpError(outcome.status, outcome.message);
      case "requeued":
        throw new HttpError(500, `failed to claim task: ${outcome.message}`);
    }
  });

  const batch = async (c: AppContext): Promise<Response> => {
    const request = await readBody(c, claimRequestSchema);
    return json(claimForDaemon(ctx, c.get("principal"), request, capabilitiesOf(c)));
  };
  app.post("/api/daemon/tasks/claim", batch);
  app.post("/api/daemon/claim", batch);

  app.get("/api/daemon/runtimes/:runtimeId/tasks/pending", (c) => {
    const runtime = requireRuntime(ctx, c.get("principal"), c.req.param("runtimeId"));
    const sql = `SELECT * FROM task WHERE runtime_id = :id AND status IN ('queued', 'dispatched')
                 ORDER BY priority DESC, created_at, rowid`;
    return json(all<TaskRow>(ctx.db, sql, { id: runtime.id }).map((row) => taskWire(row)));
  });
}
