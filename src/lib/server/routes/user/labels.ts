import { labelAttachSchema, labelInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { run } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { scopeOf } from "../../http/scope.ts";
import { createLabel, listLabels, showLabel, updateLabel } from "../../services/labels.ts";
import { labelsOf, touchIssue } from "../../services/issues.ts";
import { inTransaction } from "../../transaction.ts";
import { issueOf } from "./issues.ts";

/** Labels of the workspace and of an issue (server-api.md 13.4). Only issues have labels on this server. */
export function labelRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/labels", (c) => {
    const labels = listLabels(ctx.db, scopeOf(ctx, c).workspace.id, c.req.query("resource_type") || "issue");
    return json({ labels, total: labels.length });
  });

  app.post("/api/labels", async (c) => {
    const { workspace } = scopeOf(ctx, c);
    const input = await readBody(c, labelInputSchema);
    if (input.resource_type !== undefined && input.resource_type !== "issue") throw badRequest("unsupported resource_type");
    const id = inTransaction(ctx, (tx) => createLabel(tx, workspace.id, input));
    return json(showLabel(ctx.db, workspace.id, id), 201);
  });

  app.get("/api/labels/:id", (c) => json(showLabel(ctx.db, scopeOf(ctx, c).workspace.id, labelId(c, "id"))));

  app.put("/api/labels/:id", async (c) => {
    const { workspace } = scopeOf(ctx, c);
    const input = await readBody(c, labelInputSchema);
    const id = labelId(c, "id");
    inTransaction(ctx, (tx) => {
      showLabel(tx.db, workspace.id, id);
      updateLabel(tx, id, input);
    });
    return json(showLabel(ctx.db, workspace.id, id));
  });

  app.delete("/api/labels/:id", (c) => {
    const params = { id: labelId(c, "id"), workspaceId: scopeOf(ctx, c).workspace.id };
    const gone = inTransaction(ctx, (tx) => run(tx.db, "DELETE FROM label WHERE id = :id AND workspace_id = :workspaceId", params));
    if (gone === 0) throw notFound("label");
    return noContent();
  });

  issueLabelRoutes(app, ctx);
}

function issueLabelRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/issues/:id/labels", (c) => json({ labels: labelsOf(ctx.db, issueOf(ctx, c).issue.id) }));

  app.post("/api/issues/:id/labels", async (c) => {
    const { scope, issue } = issueOf(ctx, c);
    const labelId = uuidOf((await readBody(c, labelAttachSchema)).label_id, "label_id");
    const sql = "INSERT INTO issue_label (issue_id, label_id, created_at) VALUES (:issueId, :labelId, :now) ON CONFLICT DO NOTHING";
    const revision = inTransaction(ctx, (tx) => {
      showLabel(tx.db, scope.workspace.id, labelId);
      const added = run(tx.db, sql, { issueId: issue.id, labelId, now: tx.now });
      return added === 0 ? issue.revision : touchIssue(tx, issue.id);
    });
    return json({ labels: labelsOf(ctx.db, issue.id), issue_revision: revision });
  });

  app.delete("/api/issues/:id/labels/:labelId", (c) => {
    const { issue } = issueOf(ctx, c);
    const params = { issueId: issue.id, labelId: labelId(c, "labelId") };
    const revision = inTransaction(ctx, (tx) => {
      const gone = run(tx.db, "DELETE FROM issue_label WHERE issue_id = :issueId AND label_id = :labelId", params);
      return gone === 0 ? issue.revision : touchIssue(tx, issue.id);
    });
    return json({ labels: labelsOf(ctx.db, issue.id), issue_revision: revision });
  });
}

function labelId(c: AppContext, name: string): string {
  return uuidOf(c.req.param(name), "label id");
}
