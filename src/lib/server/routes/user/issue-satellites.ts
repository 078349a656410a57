import { metadataInputSchema, subscriberInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all, one, run } from "../../db/query.ts";
import { badRequest } from "../../http-error.ts";
import { readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import type { Scope } from "../../http/scope.ts";
import { type SubscriberRow, objectColumn, subscriberWire } from "../../rows/index.ts";
import { actorId } from "../../services/actor.ts";
import { loadIssue, subscribe, touchIssue } from "../../services/issues.ts";
import { changeMetadata } from "../../services/metadata.ts";
import { timelineOf } from "../../services/timeline.ts";
import { inTransaction } from "../../transaction.ts";
import { issueOf } from "./issues.ts";

/** Subscribers, metadata and the timeline of an issue (server-api.md 13.3.5, 13.4). */
export function issueSatelliteRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/issues/:id/timeline", (c) => json(timelineOf(ctx.db, issueOf(ctx, c).issue.id)));

  app.get("/api/issues/:id/subscribers", (c) => {
    const sql = "SELECT * FROM subscriber WHERE issue_id = :id ORDER BY created_at, user_id";
    return json(all<SubscriberRow>(ctx.db, sql, { id: issueOf(ctx, c).issue.id }).map(subscriberWire));
  });

  app.post("/api/issues/:id/subscribe", async (c) => {
    const { scope, issue } = issueOf(ctx, c);
    const who = await subscriberOf(ctx, c, scope);
    inTransaction(ctx, (tx) => subscribe(tx, issue.id, who.type, who.id, "manual"));
    return json({ subscribed: true });
  });

  app.post("/api/issues/:id/unsubscribe", async (c) => {
    const { scope, issue } = issueOf(ctx, c);
    const who = await subscriberOf(ctx, c, scope);
    const sql = "DELETE FROM subscriber WHERE issue_id = :issueId AND user_type = :type AND user_id = :id";
    inTransaction(ctx, (tx) => run(tx.db, sql, { issueId: issue.id, ...who }));
    return json({ subscribed: false });
  });

  app.get("/api/issues/:id/metadata", (c) => json({ metadata: objectColumn(issueOf(ctx, c).issue.metadata) }));

  app.put("/api/issues/:id/metadata/:key", async (c) => {
    const input = await readBody(c, metadataInputSchema);
    return metadataChange(ctx, c, input.value ?? null);
  });
  app.delete("/api/issues/:id/metadata/:key", (c) => metadataChange(ctx, c, undefined));
}

/** Sets the key to `value`; undefined removes it. */
function metadataChange(ctx: ServerContext, c: AppContext, value: unknown): Response {
  const { scope, issue } = issueOf(ctx, c);
  const answer = inTransaction(ctx, (tx) => {
    const metadata = changeMetadata(tx, loadIssue(tx.db, scope.workspace, issue.id), c.req.param("key") ?? "", value);
    return { metadata, issue_revision: touchIssue(tx, issue.id) };
  });
  return json(answer);
}

/** Whom a subscription is about: the caller unless the body names somebody of this workspace. */
async function subscriberOf(ctx: ServerContext, c: AppContext, scope: Scope): Promise<{ type: "member" | "agent"; id: string }> {
  const input = await readBody(c, subscriberInputSchema);
  if (input.user_id === undefined || input.user_id === "") return { type: scope.actor.type, id: actorId(scope.actor) };
  const type = input.user_type ?? "member";
  const sql =
    type === "member"
      ? "SELECT 1 FROM member WHERE workspace_id = :workspaceId AND user_id = :id"
      : "SELECT 1 FROM agent WHERE workspace_id = :workspaceId AND id = :id";
  const id = input.user_id.toLowerCase();
  if (one(ctx.db, sql, { workspaceId: scope.workspace.id, id }) === undefined) throw badRequest("invalid user_id");
  return { type, id };
}
