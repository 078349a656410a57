import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ServerContext } from "../context.ts";
import { daemonRoutes } from "../routes/daemon/index.ts";
import { loginRoutes } from "../routes/login.ts";
import { publicRoutes } from "../routes/public.ts";
import { userRoutes } from "../routes/user/index.ts";
import { WEBHOOKS, webhookRoutes } from "../routes/webhooks.ts";
import type { App, AppEnv } from "./env.ts";
import { errorResponse } from "./errors.ts";
import { notFoundText, routeGate } from "./gate.ts";
import { daemonGuard, userGuard } from "./guards.ts";
import { json } from "./respond.ts";

const UPLOAD_PATH = "/api/upload-file";

/** Set by this server and believed nowhere: a client that sends them is not listened to (server-api.md 1.3). */
export const INTERNAL_HEADERS = ["x-user-id", "x-user-email", "x-actor-source"] as const;

/**
 * The whole HTTP surface. Order matters: unknown paths are answered first, then bodies are limited, then the
 * credential is checked for the room a path belongs to.
 */
export function createApp(ctx: ServerContext): App {
  const app: App = new Hono<AppEnv>();
  app.use("*", routeGate(app));
  const limit = bodyLimit({ maxSize: ctx.limits.bodyBytes, onError: () => json({ error: "request body too large" }, 413) });
  const uploads = bodyLimit({ maxSize: ctx.limits.uploadBytes, onError: () => json({ error: "file too large or invalid multipart form" }, 400) });
  const deliveries = bodyLimit({ maxSize: ctx.limits.deliveryBytes, onError: () => json({ error: "payload too large" }, 413) });
  app.use("*", (c, next) => (c.req.path === UPLOAD_PATH ? uploads : c.req.path.startsWith(WEBHOOKS) ? deliveries : limit)(c, next));
  publicRoutes(app, ctx);
  loginRoutes(app, ctx);
  webhookRoutes(app, ctx);
  app.use("/api/daemon/*", daemonGuard(ctx));
  daemonRoutes(app, ctx);
  app.use("/api/*", userRoom(userGuard(ctx)));
  userRoutes(app, ctx);
  app.notFound(() => notFoundText());
  app.onError((error, c) => errorResponse(ctx, error, { method: c.req.method, path: shownPath(c.req.path) }));
  return app;
}

/** The user credential is asked for everywhere below /api but where daemons talk. */
function userRoom(guard: MiddlewareHandler<AppEnv>): MiddlewareHandler<AppEnv> {
  return (c, next) => (c.req.path.startsWith("/api/daemon/") ? next() : guard(c, next));
}

/** A path as it may be logged: a webhook's address is its credential. */
function shownPath(path: string): string {
  return path.startsWith(WEBHOOKS) ? `${WEBHOOKS}…` : path;
}
