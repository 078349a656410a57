import { commentInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { scopeOf } from "../../http/scope.ts";
import { type CommentRow, commentWire } from "../../rows/index.ts";
import { filesByComment } from "../../services/attachments/attachments.ts";
import { selectComments } from "../../services/comment-list.ts";
import { createComment, deleteComment, editComment, resolveComment } from "../../services/comments.ts";
import { loadIssue } from "../../services/issues.ts";
import { inTransaction } from "../../transaction.ts";
import { commentQuery } from "./comment-query.ts";
import { issueOf } from "./issues.ts";

/** More than this is cut off at the old end, and the answer says so. */
const MAX_COMMENTS = 5000;

/** Comments: list, write, change, delete (server-api.md 13.5). */
export function commentRoutes(app: App, ctx: ServerContext): void {
  const withFiles = (row: CommentRow): object => commentWire(row, filesByComment(ctx.db, row.issue_id).get(row.id));

  app.get("/api/issues/:id/comments", (c) => {
    const { issue } = issueOf(ctx, c);
    const query = commentQuery(c);
    const sql = "SELECT * FROM comment WHERE issue_id = :id ORDER BY created_at DESC, rowid DESC LIMIT :limit";
    const rows = all<CommentRow>(ctx.db, sql, { id: issue.id, limit: MAX_COMMENTS + 1 });
    const page = selectComments(rows.slice(0, MAX_COMMENTS).reverse(), query, filesByComment(ctx.db, issue.id));
    return json(page.comments, 200, {
      ...(rows.length > MAX_COMMENTS ? { "x-comments-truncated": "true" } : {}),
      ...(page.next === undefined ? {} : { "x-multica-next-before": page.next.before, "x-multica-next-before-id": page.next.id }),
    });
  });

  app.post("/api/issues/:id/comments", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, commentInputSchema);
    const ref = c.req.param("id") ?? "";
    const made = inTransaction(ctx, (tx) => createComment(tx, scope, loadIssue(tx.db, scope.workspace, ref), input));
    const outcomes = made.outcomes.length === 0 ? {} : { trigger_outcomes: made.outcomes };
    return json({ ...withFiles(made.row), ...outcomes }, 201);
  });

  app.put("/api/comments/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, commentInputSchema);
    return json(withFiles(inTransaction(ctx, (tx) => editComment(tx, scope, commentId(c), input))));
  });

  const resolve = (c: AppContext, resolved: boolean): Response => {
    const scope = scopeOf(ctx, c);
    return json(withFiles(inTransaction(ctx, (tx) => resolveComment(tx, scope, commentId(c), resolved))));
  };
  app.post("/api/comments/:id/resolve", (c) => resolve(c, true));
  app.delete("/api/comments/:id/resolve", (c) => resolve(c, false));

  app.delete("/api/comments/:id", (c) => {
    const scope = scopeOf(ctx, c);
    inTransaction(ctx, (tx) => deleteComment(tx, scope, commentId(c)));
    return noContent();
  });
}

function commentId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "comment id");
}
