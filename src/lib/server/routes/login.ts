import { createHmac, timingSafeEqual } from "node:crypto";
import { findToken } from "../auth/tokens.ts";
import { callbackProblem } from "../auth/callback.ts";
import type { ServerContext } from "../context.ts";
import { one } from "../db/query.ts";
import type { App, AppContext } from "../http/env.ts";
import { HttpError } from "../http-error.ts";
import { isLoopbackHost } from "../../platform/index.ts";
import { sessionFor } from "../services/account.ts";
import type { UserRow } from "../rows/index.ts";
import { loginForm, messagePage } from "./login-pages.ts";

const FORM_MS = 10 * 60_000;

/**
 * Browser sign-in of the CLI (server-api.md 14.2 b, 13.1.2): a page asks for confirmation, then the browser is sent
 * to the CLI's callback with a session token. On a loopback address the person at the keyboard is the local user;
 * on any other address the form asks for a `mul_` token.
 */
export function loginRoutes(app: App, ctx: ServerContext): void {
  app.get("/login", (c) => {
    requireKnownHost(ctx, c);
    const callback = c.req.query("cli_callback") ?? "";
    const state = c.req.query("cli_state") ?? "";
    if (callback === "") return page(messagePage("Nothing to sign in to", "Run `multica login` in a terminal."), 200);
    const problem = callbackProblem(callback);
    if (problem !== null) return page(messagePage("Refused", problem), 400);
    const expires = String(ctx.clock.now() + FORM_MS);
    const seal = sealOf(ctx, callback, state, expires);
    return page(loginForm({ callback, state, expires, seal, askToken: !ctx.local }), 200);
  });

  app.post("/login", async (c) => {
    requireKnownHost(ctx, c);
    const form = new URLSearchParams(await c.req.text());
    const field = (name: string): string => form.get(name) ?? "";
    const callback = field("cli_callback");
    const problem = callbackProblem(callback) ?? sealProblem(ctx, field);
    if (problem !== null) return page(messagePage("Refused", problem), 400);
    const user = ctx.local ? localUser(ctx) : tokenUser(ctx, field("token"));
    if (user === undefined) return page(messagePage("Refused", "This token is not valid here."), 401);
    const target = new URL(callback);
    target.searchParams.set("token", sessionFor(ctx, user));
    target.searchParams.set("state", field("cli_state"));
    return new Response(null, { status: 303, headers: { location: target.href, "cache-control": "no-store" } });
  });
}

/** A page of another site must not be able to reach this one under a name of its own (DNS rebinding). */
function requireKnownHost(ctx: ServerContext, c: AppContext): void {
  if (!ctx.local) return;
  const host = (c.req.header("host") ?? "").replace(/:\d+$/, "");
  if (!isLoopbackHost(host)) throw new HttpError(403, "this page is only served on a loopback name");
}

/** Only a form that this server showed a moment ago may be sent: another site can neither read nor make the seal. */
function sealOf(ctx: ServerContext, callback: string, state: string, expires: string): string {
  return createHmac("sha256", ctx.jwtSecret).update(JSON.stringify(["login", callback, state, expires])).digest("hex");
}

function sealProblem(ctx: ServerContext, field: (name: string) => string): string | null {
  const expires = field("expires");
  const given = Buffer.from(field("seal"));
  const wanted = Buffer.from(sealOf(ctx, field("cli_callback"), field("cli_state"), expires));
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return "This form was not made by this server.";
  return Number(expires) < ctx.clock.now() ? "This form has expired. Run `multica login` again." : null;
}

function localUser(ctx: ServerContext): UserRow | undefined {
  return one<UserRow>(ctx.db, "SELECT * FROM user WHERE disabled = 0 ORDER BY created_at LIMIT 1");
}

function tokenUser(ctx: ServerContext, text: string): UserRow | undefined {
  const row = findToken(ctx.db, text.trim(), ctx.clock.now());
  if (row?.kind !== "personal") return undefined;
  return one<UserRow>(ctx.db, "SELECT * FROM user WHERE id = :id AND disabled = 0", { id: row.user_id });
}

function page(html: string, status: number): Response {
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      // No script at all, and no frame around the button.
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    },
  });
}
