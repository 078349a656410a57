import { parseJson } from "../../core/index.ts";
import type { ServerContext } from "../context.ts";
import { badRequest } from "../http-error.ts";
import type { App } from "../http/env.ts";
import { json } from "../http/respond.ts";
import { checkSignature, deliver, findWebhook } from "../services/autopilots/webhook.ts";
import { inTransaction } from "../transaction.ts";

export const WEBHOOKS = "/api/webhooks/";
const MAX_ID = 200;

/** Addresses of autopilots (server-api.md 13.13). No credential: the address is one. */
export function webhookRoutes(app: App, ctx: ServerContext): void {
  app.post("/api/webhooks/autopilots/:token", async (c) => {
    const token = c.req.param("token");
    const trigger = findWebhook(ctx.db, token);
    const body = Buffer.from(await c.req.arrayBuffer());
    const header = (name: string): string => c.req.header(name)?.trim() ?? "";
    // Before the body is looked into: whoever cannot sign learns nothing from the answers.
    checkSignature(trigger, body, header("x-hub-signature-256"));
    const text = body.toString("utf8");
    const payload = text.trim() === "" ? {} : parseJson(text);
    if (payload === undefined) throw badRequest("invalid request body");
    const id = (header("x-github-delivery") || header("x-gitlab-event-uuid") || header("idempotency-key")).slice(0, MAX_ID);
    const event = header("x-github-event") || header("x-gitlab-event") || header("x-event-type");
    // Read again within the transaction: the address may have been changed while the body came in.
    return json(inTransaction(ctx, (tx) => deliver(tx, findWebhook(tx.db, token), { payload, id, event })));
  });
}
