import { batchDeleteSchema, batchUpdateSchema, quickCreateSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { badRequest } from "../../http-error.ts";
import { readBody } from "../../http/body.ts";
import type { App } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { scopeOf } from "../../http/scope.ts";
import { deleteIssue, updateIssue } from "../../services/issue-write.ts";
import { loadIssue } from "../../services/issues.ts";
import { quickCreate } from "../../services/quick-create.ts";
import { inTransaction } from "../../transaction.ts";

/** Issues one batch may name. */
const MAX_BATCH = 500;

/** Many issues at once (server-api.md 13.3.4), and one that an agent is to write (13.3.6). */
export function issueBatchRoutes(app: App, ctx: ServerContext): void {
  app.post("/api/issues/quick-create", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, quickCreateSchema);
    const task = inTransaction(ctx, (tx) => quickCreate(tx, scope, input));
    return json({ task_id: task.id }, 202);
  });

  app.post("/api/issues/batch-update", async (c) => {
    const scope = scopeOf(ctx, c);
    const { issue_ids: ids, updates } = await readBody(c, batchUpdateSchema);
    requireIds(ids);
    // One for all: a refused one must not leave the others half done.
    inTransaction(ctx, (tx) => {
      for (const id of ids) updateIssue(tx, scope, loadIssue(tx.db, scope.workspace, id), updates);
    });
    return json({ updated: ids.length });
  });

  app.post("/api/issues/batch-delete", async (c) => {
    const { workspace } = scopeOf(ctx, c);
    const { issue_ids: ids } = await readBody(c, batchDeleteSchema);
    requireIds(ids);
    inTransaction(ctx, (tx) => {
      for (const id of ids) deleteIssue(tx, loadIssue(tx.db, workspace, id));
    });
    return json({ deleted: ids.length });
  });
}

function requireIds(ids: readonly string[]): void {
  if (ids.length === 0) throw badRequest("issue_ids is required");
  if (ids.length > MAX_BATCH || new Set(ids).size !== ids.length) throw badRequest("invalid issue_ids");
}
