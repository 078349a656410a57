import { isUuid } from "../../../core/index.ts";
import { gcCheckSchema } from "../../../wire/index.ts";
import { mayEnterWorkspace } from "../../auth/authenticate.ts";
import type { ServerContext } from "../../context.ts";
import { one } from "../../db/query.ts";
import { readBody } from "../../http/body.ts";
import type { App } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { badRequest, notFound } from "../../http-error.ts";
import { type IssueRow, isoSeconds } from "../../rows/index.ts";
import { requireTask, requireWorkspace } from "../../services/daemon/access.ts";
import { checkIssues } from "../../services/daemon/gc-checks.ts";

/** How the wire writes a time that has not come yet on these two routes (server-api.md 8). */
const NO_TIME = "0001-01-01T00:00:00Z";
/** Bytes of a batch check. */
const MAX_BODY = 64 * 1024;

/**
 * Whether a task's directory may go (server-api.md 8). Chats and autopilots do not exist here, so their checks are
 * unknown routes: a 404 of ours would tell the daemon that the record was deleted.
 */
export function gcRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/daemon/issues/:issueId/gc-check", (c) => {
    const id = c.req.param("issueId");
    if (!isUuid(id)) throw badRequest("invalid issue_id");
    const issue = one<IssueRow>(ctx.db, "SELECT * FROM issue WHERE id = :id", { id: id.toLowerCase() });
    if (issue === undefined || !mayEnterWorkspace(ctx, c.get("principal"), issue.workspace_id)) throw notFound("issue");
    return json({ status: issue.status, updated_at: isoSeconds(issue.updated_at) });
  });

  app.post("/api/daemon/workspaces/:workspaceId/issues/gc-check", async (c) => {
    const workspace = requireWorkspace(ctx, c.get("principal"), c.req.param("workspaceId"));
    if (Number(c.req.header("content-length") ?? 0) > MAX_BODY) throw badRequest("invalid request body");
    const { issue_ids } = await readBody(c, gcCheckSchema);
    return json({ issues: checkIssues(ctx.db, workspace.id, issue_ids) });
  });

  app.get("/api/daemon/tasks/:taskId/gc-check", (c) => {
    const task = requireTask(ctx, c.get("principal"), c.req.param("taskId"));
    return json({ status: task.status, completed_at: task.completed_at === null ? NO_TIME : isoSeconds(task.completed_at) });
  });
}
