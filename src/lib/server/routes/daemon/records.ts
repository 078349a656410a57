import { messagesRequestSchema, progressSchema, usageRequestSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { intQuery, readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import type { TaskRow } from "../../rows/index.ts";
import { requireTask } from "../../services/daemon/access.ts";
import { listMessages, recordMessages, recordUsage } from "../../services/tasks/records.ts";
import { inTransaction } from "../../transaction.ts";

/** What a run leaves behind beside its state: transcript, usage, progress (server-api.md 6.4–6.6). Late ones are kept too. */
export function recordRoutes(app: App, ctx: ServerContext): void {
  const taskOf = (c: AppContext): TaskRow => requireTask(ctx, c.get("principal"), c.req.param("taskId") ?? "");

  app.post("/api/daemon/tasks/:taskId/progress", async (c) => {
    const task = taskOf(c);
    const progress = await readBody(c, progressSchema);
    ctx.logger.debug("task progress", { task: task.id, summary: progress.summary, step: progress.step, total: progress.total });
    return json({ status: "ok" });
  });

  app.post("/api/daemon/tasks/:taskId/messages", async (c) => {
    const task = taskOf(c);
    const { messages } = await readBody(c, messagesRequestSchema);
    inTransaction(ctx, (tx) => {
      recordMessages(tx, task.id, messages);
      ctx.audit?.messages(task.id, messages);
    });
    return json({ status: "ok" });
  });

  app.get("/api/daemon/tasks/:taskId/messages", (c) => {
    const { id } = taskOf(c);
    const since = intQuery(c, "since", 0, Number.MAX_SAFE_INTEGER);
    return json(ctx.audit === undefined ? listMessages(ctx.db, id, since) : ctx.audit.list(id, since));
  });

  app.post("/api/daemon/tasks/:taskId/usage", async (c) => {
    const task = taskOf(c);
    const { usage } = await readBody(c, usageRequestSchema);
    inTransaction(ctx, (tx) => recordUsage(tx, task.id, usage));
    return json({ status: "ok" });
  });
}
