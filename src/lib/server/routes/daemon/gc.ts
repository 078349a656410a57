import { isUuid } from "../../../core/index.ts";
import { gcCheckSchema } from "../../../wire/index.ts";
import { mayEnterWorkspace } from "../../auth/authenticate.ts";
import type { ServerContext } from "../../context.ts";
import { one } from "../../db/query.ts";
import { readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { badRequest, notFound } from "../../http-error.ts";
import { type AutopilotRunRow, type ChatSessionRow, type IssueRow, isoSeconds } from "../../rows/index.ts";
import { requireTask, requireWorkspace } from "../../services/daemon/access.ts";
import { checkIssues } from "../../services/daemon/gc-checks.ts";

/** How the wire writes a time that has not come yet on these two routes (server-api.md 8). */
const NO_TIME = "0001-01-01T00:00:00Z";
/** Bytes of a batch check. */
const MAX_BODY = 64 * 1024;

/** Whether a task's directory may go (server-api.md 8). A 404 of ours tells the daemon that the record was deleted. */
export function gcRoutes(app: App, ctx: ServerContext): void {
  const find = <T extends { workspace_id: string }>(c: AppContext, table: "issue" | "autopilot_run" | "chat_session", id: string, field: string): T | undefined => {
    if (!isUuid(id)) throw badRequest(`invalid ${field}`);
    const row = one<T>(ctx.db, `SELECT * FROM ${table} WHERE id = :id`, { id: id.toLowerCase() });
    return row !== undefined && mayEnterWorkspace(ctx, c.get("principal"), row.workspace_id) ? row : undefined;
  };

  app.get("/api/daemon/issues/:issueId/gc-check", (c) => {
    const issue = find<IssueRow>(c, "issue", c.req.param("issueId"), "issue_id");
    if (issue === undefined) throw notFound("issue");
    return json({ status: issue.status, updated_at: isoSeconds(issue.updated_at) });
  });

  app.post("/api/daemon/workspaces/:workspaceId/issues/gc-check", async (c) => {
    const workspace = requireWorkspace(ctx, c.get("principal"), c.req.param("workspaceId"));
    if (Number(c.req.header("content-length") ?? 0) > MAX_BODY) throw badRequest("invalid request body");
    const { issue_ids } = await readBody(c, gcCheckSchema);
    return json({ issues: checkIssues(ctx.db, workspace.id, issue_ids) });
  });

  app.get("/api/daemon/autopilot-runs/:runId/gc-check", (c) => {
    const run = find<AutopilotRunRow>(c, "autopilot_run", c.req.param("runId"), "run_id");
    if (run === undefined) throw notFound("autopilot run");
    return json({ status: run.status, completed_at: run.completed_at === null ? NO_TIME : isoSeconds(run.completed_at) });
  });

  app.get("/api/daemon/chat-sessions/:sessionId/gc-check", (c) => {
    const session = find<ChatSessionRow>(c, "chat_session", c.req.param("sessionId"), "session_id");
    if (session === undefined) throw notFound("chat session");
    return json({ status: session.status, updated_at: isoSeconds(session.updated_at) });
  });

  app.get("/api/daemon/tasks/:taskId/gc-check", (c) => {
    const task = requireTask(ctx, c.get("principal"), c.req.param("taskId"));
    return json({ status: task.status, completed_at: task.completed_at === null ? NO_TIME : isoSeconds(task.completed_at) });
  });
}
