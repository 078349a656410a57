import { issueInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { badRequest } from "../../http-error.ts";
import { intQuery, readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, scopeOf } from "../../http/scope.ts";
import { type IssueRow, issueWire } from "../../rows/index.ts";
import { listIssues } from "../../services/issue-list.ts";
import { searchIssues } from "../../services/issue-search.ts";
import { createIssue, deleteIssue, updateIssue } from "../../services/issue-write.ts";
import { loadIssue, showIssue } from "../../services/issues.ts";
import { issueUsage } from "../../services/usage.ts";
import { inTransaction } from "../../transaction.ts";

/** Issues themselves (server-api.md 13.3). The fixed paths come before `:id`. */
export function issueRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/issues", (c) => {
    const { workspace } = scopeOf(ctx, c);
    const page = { limit: intQuery(c, "limit", 100, 100), offset: intQuery(c, "offset", 0, 1_000_000_000) };
    const { rows, total } = listIssues(ctx.db, workspace.id, c.req.query(), page);
    return json({ issues: rows.map((row) => issueWire(row, workspace.issue_prefix)), total });
  });

  app.get("/api/issues/search", (c) => {
    const { workspace } = scopeOf(ctx, c);
    const q = c.req.query("q") ?? "";
    if (q.trim() === "") throw badRequest("q parameter is required");
    const page = { limit: intQuery(c, "limit", 20, 50), offset: intQuery(c, "offset", 0, 1_000_000_000) };
    const found = searchIssues(ctx.db, workspace, { q, ...page, closed: c.req.query("include_closed") === "true" });
    return json(found, 200, { "x-total-count": String(found.total) });
  });

  app.post("/api/issues", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, issueInputSchema);
    const issue = inTransaction(ctx, (tx) => createIssue(tx, scope, input));
    return json(showIssue(ctx.db, scope.workspace, issue), 201);
  });

  app.get("/api/issues/:id", (c) => {
    const { scope, issue } = issueOf(ctx, c);
    return json(showIssue(ctx.db, scope.workspace, issue));
  });

  app.put("/api/issues/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, issueInputSchema);
    const ref = c.req.param("id") ?? "";
    const issue = inTransaction(ctx, (tx) => updateIssue(tx, scope, loadIssue(tx.db, scope.workspace, ref), input));
    return json(showIssue(ctx.db, scope.workspace, issue));
  });

  app.delete("/api/issues/:id", (c) => {
    const { issue } = issueOf(ctx, c);
    inTransaction(ctx, (tx) => deleteIssue(tx, issue));
    return noContent();
  });

  app.get("/api/issues/:id/children", (c) => {
    const { scope, issue } = issueOf(ctx, c);
    const rows = all<IssueRow>(ctx.db, "SELECT * FROM issue WHERE parent_issue_id = :id ORDER BY position, number", { id: issue.id });
    return json({ issues: rows.map((row) => issueWire(row, scope.workspace.issue_prefix)) });
  });

  // Without a connection to a code host nobody tells this server of pull requests.
  app.get("/api/issues/:id/pull-requests", (c) => {
    issueOf(ctx, c);
    return json({ pull_requests: [] });
  });

  app.get("/api/issues/:id/usage", (c) => json(issueUsage(ctx.db, issueOf(ctx, c).issue.id)));
}

/** The issue in the path and the scope it was found in; 404 `issue not found`. */
export function issueOf(ctx: ServerContext, c: AppContext): { scope: Scope; issue: IssueRow } {
  const scope = scopeOf(ctx, c);
  return { scope, issue: loadIssue(ctx.db, scope.workspace, c.req.param("id") ?? "") };
}
