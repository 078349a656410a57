import type { MiddlewareHandler } from "hono";
import { NOT_FOUND_TEXT } from "../../wire/index.ts";
import type { App, AppEnv } from "./env.ts";

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Answers unknown paths with the plain-text 404 and wrong methods with an empty 405, before anyone is
 * authenticated (server-api.md 1.2): a client must see "this server is too old" without a credential.
 */
export function routeGate(app: App): MiddlewareHandler<AppEnv> {
  let known: KnownPath[] | undefined;
  return async (c, next) => {
    known ??= knownPaths(app);
    const path = c.req.path;
    const matches = known.filter((entry) => entry.pattern.test(path));
    if (matches.length === 0) return notFoundText();
    const method = c.req.method === "HEAD" ? "GET" : c.req.method;
    if (!matches.some((entry) => entry.methods.has(method))) return new Response(null, { status: 405 });
    return next();
  };
}

export function notFoundText(): Response {
  return new Response(NOT_FOUND_TEXT, {
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8", "content-length": String(Buffer.byteLength(NOT_FOUND_TEXT)) },
  });
}

/** Paths that have a handler; middleware is registered for method ALL and says nothing about what exists. */
function knownPaths(app: App): KnownPath[] {
  const byPath = new Map<string, Set<string>>();
  for (const route of app.routes) {
    if (route.method === "ALL") continue;
    const methods = byPath.get(route.path) ?? new Set<string>();
    byPath.set(route.path, methods.add(route.method));
  }
  return [...byPath].map(([path, methods]) => ({ pattern: toPattern(path), methods }));
}

function toPattern(path: string): RegExp {
  const source = path
    .split("/")
    .map((segment) => (segment.startsWith(":") ? "[^/]+" : segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")))
    .join("/");
  return new RegExp(`^${source}$`);
}
