import {
  cancelAckSchema,
  completeRequestSchema,
  failRequestSchema,
  sessionPinSchema,
  waitLocalDirectorySchema,
} from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import { type TaskRow, taskWire } from "../../rows/index.ts";
import { requireRuntime, requireTask } from "../../services/daemon/access.ts";
import { type CancelFacts, acknowledgeCancel } from "../../services/tasks/cancel-ack.ts";
import { completeTask } from "../../services/tasks/complete.ts";
import { failTask } from "../../services/tasks/fail.ts";
import { pinSession, prepareLease, startTask, waitLocalDirectory } from "../../services/tasks/lifecycle.ts";
import { type Tx, inTransaction } from "../../transaction.ts";

/** The life of a claimed task as its daemon reports it (server-api.md 6). Each change answers the task's row. */
export function callbackRoutes(app: App, ctx: ServerContext): void {
  const taskOf = (c: AppContext): TaskRow => requireTask(ctx, c.get("principal"), c.req.param("taskId") ?? "");
  const change = (fn: (tx: Tx) => TaskRow): Response => json(taskWire(inTransaction(ctx, fn)));

  const ending = (kind: string, before: TaskRow, fn: (tx: Tx) => TaskRow): Response =>
    change((tx) => {
      const after = fn(tx);
      ctx.audit?.ending(kind, before.status, after);
      return after;
    });

  app.post("/api/daemon/runtimes/:runtimeId/tasks/:taskId/prepare-lease", (c) => {
    const runtime = requireRuntime(ctx, c.get("principal"), c.req.param("runtimeId"));
    const task = taskOf(c);
    return change((tx) => prepareLease(tx, runtime.id, task.id));
  });

  app.post("/api/daemon/tasks/:taskId/start", (c) => {
    const task = taskOf(c);
    return change((tx) => startTask(tx, task.id));
  });

  app.post("/api/daemon/tasks/:taskId/wait-local-directory", async (c) => {
    const task = taskOf(c);
    const { reason } = await readBody(c, waitLocalDirectorySchema);
    return change((tx) => waitLocalDirectory(tx, task.id, reason));
  });

  app.post("/api/daemon/tasks/:taskId/session", async (c) => {
    const task = taskOf(c);
    const pointer = await readBody(c, sessionPinSchema);
    if (!pointer.session_id && !pointer.work_dir) throw badRequest("session_id or work_dir required");
    inTransaction(ctx, (tx) => pinSession(tx, task.id, pointer));
    return noContent();
  });

  app.post("/api/daemon/tasks/:taskId/complete", async (c) => {
    const task = taskOf(c);
    const report = await readBody(c, completeRequestSchema);
    return ending("complete", task, (tx) => completeTask(tx, task.id, report));
  });

  app.post("/api/daemon/tasks/:taskId/fail", async (c) => {
    const task = taskOf(c);
    const report = await readBody(c, failRequestSchema);
    return ending("fail", task, (tx) => failTask(tx, task.id, report));
  });

  app.post("/api/daemon/tasks/:taskId/cancel-ack", async (c) => {
    const task = taskOf(c);
    const facts = await lenientAck(c);
    inTransaction(ctx, (tx) => acknowledgeCancel(tx, task.id, facts));
    return json({ status: "ok" });
  });

  app.get("/api/daemon/tasks/:taskId/status", (c) => json({ status: taskOf(c).status }));
}

/** The acknowledgement counts whatever its body is: an unreadable one says nothing more. */
async function lenientAck(c: AppContext): Promise<CancelFacts> {
  try {
    return await readBody(c, cancelAckSchema);
  } catch (error) {
    if (error instanceof HttpError && error.status === 400) return {};
    throw error;
  }
}
