import { timingSafeEqual } from "node:crypto";
import { getCookie } from "hono/cookie";
import type { MiddlewareHandler } from "hono";
import { authenticateDaemon, authenticateUser } from "../auth/authenticate.ts";
import type { ServerContext } from "../context.ts";
import { HttpError } from "../http-error.ts";
import type { AppContext, AppEnv } from "./env.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Authenticates user routes (server-api.md 2.2) and leaves the principal for the handlers. */
export function userGuard(ctx: ServerContext): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const authorization = c.req.header("authorization");
    const cookie = authorization === undefined ? getCookie(c, "multica_auth") : undefined;
    const principal = authenticateUser(ctx, authorization, cookie);
    if (cookie !== undefined && !SAFE_METHODS.has(c.req.method)) requireCsrf(c);
    c.set("principal", principal);
    await next();
  };
}

/** Authenticates `/api/daemon/*` (server-api.md 2.3). */
export function daemonGuard(ctx: ServerContext): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("principal", authenticateDaemon(ctx, c.req.header("authorization")));
    await next();
  };
}

function requireCsrf(c: AppContext): void {
  const cookie = Buffer.from(getCookie(c, "multica_csrf") ?? "");
  const header = Buffer.from(c.req.header("x-csrf-token") ?? "");
  if (cookie.length > 0 && cookie.length === header.length && timingSafeEqual(cookie, header)) return;
  throw new HttpError(403, "CSRF validation failed");
}
