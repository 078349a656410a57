import { deleteCookie } from "hono/cookie";
import type { ServerContext } from "../context.ts";
import { one } from "../db/query.ts";
import type { App } from "../http/env.ts";
import { json } from "../http/respond.ts";

/** Routes without a credential (server-api.md 1.5). `GET /api/config` is public as well. */
export function publicRoutes(app: App, ctx: ServerContext): void {
  app.get("/health", () => json({ status: "ok" }));
  for (const path of ["/healthz", "/readyz"]) app.get(path, () => readiness(ctx));
  app.get("/api/config", () =>
    json({
      cdn_domain: "",
      allow_signup: false,
      posthog_key: "",
      posthog_host: "",
      analytics_environment: "",
      local_worktree_supported: true,
      server_version: ctx.version,
    }),
  );
  app.post("/auth/logout", (c) => {
    deleteCookie(c, "multica_auth");
    deleteCookie(c, "multica_csrf");
    return c.json({ message: "signed out" });
  });
}

function readiness(ctx: ServerContext): Response {
  try {
    one(ctx.db, "SELECT 1 FROM user LIMIT 1");
    return json({ status: "ok" });
  } catch {
    return json({ error: "the database does not answer" }, 503);
  }
}
