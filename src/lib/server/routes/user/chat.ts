import { chatMessageInputSchema, chatSessionInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import { intQuery, readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, requireHuman, scopeOf } from "../../http/scope.ts";
import { isoSeconds } from "../../rows/index.ts";
import { dropDraft, listDrafts } from "../../services/chat/drafts.ts";
import { listMessages, messagesWire, pendingTask, postMessage } from "../../services/chat/messages.ts";
import { createSession, deleteSession, listSessions, loadSession, markRead, showSession, updateSession } from "../../services/chat/sessions.ts";
import { transcriptOf } from "../../services/chat/transcript.ts";
import { inTransaction } from "../../transaction.ts";

const ONE = "/api/chat/sessions/:id";
/** More of a conversation is read page by page. */
const MAX_MESSAGES = 1000;

/** Conversations with agents (server-api.md 13.14). They are a person's; an agent reads the one its task answers. */
export function chatRoutes(app: App, ctx: ServerContext): void {
  const personal = (c: AppContext): Scope => {
    const scope = scopeOf(ctx, c);
    requireHuman(c);
    return scope;
  };

  app.get("/api/chat/sessions", (c) => json(listSessions(ctx.db, personal(c), c.req.query("status") || null)));

  app.post("/api/chat/sessions", async (c) => {
    const scope = personal(c);
    const input = await readBody(c, chatSessionInputSchema);
    const id = inTransaction(ctx, (tx) => createSession(tx, scope, input));
    return json(showSession(ctx.db, scope, id), 201);
  });

  app.get(ONE, (c) => json(showSession(ctx.db, personal(c), sessionId(c))));

  app.patch(ONE, async (c) => {
    const scope = personal(c);
    const input = await readBody(c, chatSessionInputSchema);
    inTransaction(ctx, (tx) => updateSession(tx, scope, loadSession(tx.db, scope, sessionId(c)), input));
    return json(showSession(ctx.db, scope, sessionId(c)));
  });

  app.delete(ONE, (c) => {
    const scope = personal(c);
    inTransaction(ctx, (tx) => deleteSession(tx, loadSession(tx.db, scope, sessionId(c))));
    return noContent();
  });

  app.post(`${ONE}/read`, (c) => {
    const scope = personal(c);
    inTransaction(ctx, (tx) => markRead(tx, loadSession(tx.db, scope, sessionId(c))));
    return json(showSession(ctx.db, scope, sessionId(c)));
  });

  messageRoutes(app, ctx, personal);
  transcriptRoutes(app, ctx);
}

function messageRoutes(app: App, ctx: ServerContext, personal: (c: AppContext) => Scope): void {
  app.post(`${ONE}/messages`, async (c) => {
    const scope = personal(c);
    const input = await readBody(c, chatMessageInputSchema);
    return json(inTransaction(ctx, (tx) => postMessage(tx, scope, loadSession(tx.db, scope, sessionId(c)), input)), 201);
  });

  app.get(`${ONE}/messages`, (c) => {
    const session = loadSession(ctx.db, personal(c), sessionId(c));
    return json(messagesWire(ctx.db, session.id, listMessages(ctx.db, session.id, { limit: MAX_MESSAGES })));
  });

  app.get(`${ONE}/messages/page`, (c) => {
    const session = loadSession(ctx.db, personal(c), sessionId(c));
    const limit = Math.max(1, intQuery(c, "limit", 50, 200));
    const [at, id] = [c.req.query("before_created_at") || undefined, c.req.query("before_id") || undefined];
    if ((at === undefined) !== (id === undefined)) throw badRequest("before_created_at and before_id must be provided together");
    const rows = listMessages(ctx.db, session.id, { limit: limit + 1, ...(id === undefined ? {} : { beforeId: uuidOf(id, "before_id") }) });
    const shown = rows.slice(-limit);
    const first = shown[0];
    const more = rows.length > shown.length && first !== undefined;
    return json({
      messages: messagesWire(ctx.db, session.id, shown),
      limit,
      has_more: more,
      ...(more ? { next_cursor: { created_at: isoSeconds(first.created_at), id: first.id } } : {}),
    });
  });

  app.get(`${ONE}/draft-restores`, (c) => json({ restores: listDrafts(ctx.db, loadSession(ctx.db, personal(c), sessionId(c)).id) }));

  app.delete(`${ONE}/draft-restores/:draftId`, (c) => {
    const scope = personal(c);
    inTransaction(ctx, (tx) => dropDraft(tx, loadSession(tx.db, scope, sessionId(c)).id, uuidOf(c.req.param("draftId"), "draft id")));
    return noContent();
  });

  app.get(`${ONE}/pending-task`, (c) => json(pendingTask(ctx.db, loadSession(ctx.db, personal(c), sessionId(c)).id)));
}

function transcriptRoutes(app: App, ctx: ServerContext): void {
  const transcript = (c: AppContext): object => {
    if (c.get("principal").kind !== "task") throw new HttpError(403, "this endpoint is only available to a chat task");
    const before = c.req.query("before");
    if (before !== undefined && before !== "") uuidOf(before, "cursor");
    return transcriptOf(ctx.db, scopeOf(ctx, c), { limit: Math.max(1, intQuery(c, "limit", 50, 200)), before });
  };

  app.get("/api/chat/history", (c) => json(transcript(c)));
  // Without channels there are no threads: whichever is asked for, the conversation is the one there is.
  app.get("/api/chat/thread", (c) => {
    const id = c.req.query("id") ?? "";
    return json({ ...transcript(c), ...(id === "" ? {} : { thread_id: id }), note: "This conversation has no threads; these are its messages." });
  });
}

function sessionId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "chat session id");
}
