import type { ServerContext } from "../../context.ts";
import { uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { requireHuman, scopeOf } from "../../http/scope.ts";
import { type Inbox, MANY_ACTIONS, listInbox, markItem, markMany, unreadCount } from "../../services/inbox.ts";
import { inTransaction } from "../../transaction.ts";

/** The caller's inbox (server-api.md 13.15). It is a person's: task tokens do not read it. */
export function inboxRoutes(app: App, ctx: ServerContext): void {
  const inboxOf = (c: AppContext): Inbox => {
    const { workspace, actor } = scopeOf(ctx, c);
    requireHuman(c);
    return { workspaceId: workspace.id, userId: actor.userId };
  };

  app.get("/api/inbox", (c) => json(listInbox(ctx.db, inboxOf(c), false)));
  app.get("/api/inbox/archived", (c) => json(listInbox(ctx.db, inboxOf(c), true)));
  app.get("/api/inbox/unread-count", (c) => json({ count: unreadCount(ctx.db, inboxOf(c)) }));

  for (const action of MANY_ACTIONS) {
    app.post(`/api/inbox/${action}`, (c) => {
      const inbox = inboxOf(c);
      return json({ count: inTransaction(ctx, (tx) => markMany(tx, inbox, action)) });
    });
  }

  const marks = [["read", "read", true], ["unread", "read", false], ["archive", "archived", true], ["unarchive", "archived", false]] as const;
  for (const [action, column, value] of marks) {
    app.post(`/api/inbox/:id/${action}`, (c) => {
      const inbox = inboxOf(c);
      const id = uuidOf(c.req.param("id"), "inbox item id");
      return json(inTransaction(ctx, (tx) => markItem(tx, inbox, id, column, value)));
    });
  }
}
