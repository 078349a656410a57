import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { errorText } from "../../core/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Health } from "../../wire/index.ts";
import type { ActiveRoots } from "../active-roots.ts";
import type { ExecEnding } from "../exec/ending.ts";
import { execRoutes } from "./exec/routes.ts";
import type { ExecPort } from "./exec/access.ts";
import type { StatePort } from "./state/answers.ts";
import { stateRoutes } from "./state/routes.ts";
import { shutdownRoute } from "./shutdown.ts";
import { type AccessParts, accessRules, type LocalContext, type LocalEnv, plain } from "./access.ts";
import { checkoutRoute, type CheckoutService } from "./checkout.ts";

export interface LocalPortParts extends AccessParts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  readonly retryAfterSeconds: number;
  readonly activeRoots: ActiveRoots;
  readonly checkouts: CheckoutService;
  health(): Health;
  /** Asks the server what waits for this machine; bounded, never throws. */
  refreshQueue(): Promise<void>;
  readonly execPort: () => ExecPort;
  readonly statePort: () => StatePort;
  /** Begins the shutdown; must return before it takes effect. */
  requestShutdown(exec: ExecEnding): void;
}

/** A megabyte of input, or of command line and environment, as JSON. */
const EXEC_BODY_BYTES = 4 * 1024 * 1024;
const tooLarge = (): Response => plain("request body too large", 413);

type Handler = (c: LocalContext) => Response | Promise<Response>;

/** The daemon's local API (daemon.md 13): memory only where it answers who asks, no CORS, no unauthenticated mode. */
export function createLocalApp(parts: LocalPortParts): Hono<LocalEnv> {
  const app = new Hono<LocalEnv>();
  app.use("*", accessRules(parts));
  const limits = [bodyLimit({ maxSize: EXEC_BODY_BYTES, onError: tooLarge }), bodyLimit({ maxSize: parts.maxBodyBytes, onError: tooLarge })] as const;
  app.use("*", (c, next) => limits[c.req.path === "/exec" || c.req.path.startsWith("/exec/") ? 0 : 1](c, next));
  route(app, "GET", "/health", (c) => health(c, parts));
  route(app, "POST", "/shutdown", (c) => shutdownRoute(c, parts));
  route(app, "POST", "/repo/checkout", (c) => checkoutRoute(c, parts));
  route(app, "GET", "/execenv/active", (c) => active(c, parts));
  execRoutes(app, parts.execPort);
  stateRoutes(app, parts.statePort);
  app.notFound(() => plain("not found", 404));
  app.onError((error, c) => {
    parts.logger.error("local request failed", { path: c.req.path, error: errorText(error) });
    return plain("internal error", 500);
  });
  return app;
}

/** One method a path; every other one is 405 and does nothing. */
function route(app: Hono<LocalEnv>, method: "GET" | "POST", path: string, handler: Handler): void {
  app.all(path, (c) => (c.req.method === method ? handler(c) : plain("method not allowed", 405, { Allow: method })));
}

/** From memory, unless the caller wants to know what waits now and is ready to wait a moment for that. */
async function health(c: LocalContext, parts: LocalPortParts): Promise<Response> {
  if (c.req.query("queue") === "now") await parts.refreshQueue();
  return c.json(parts.health());
}

function active(c: LocalContext, parts: LocalPortParts): Response {
  const caller = c.get("caller");
  if (caller.kind === "none") return plain("token required", 401);
  const roots = parts.activeRoots.list();
  const own = caller.kind === "task" ? roots.filter((root) => root === caller.credential.envRoot) : roots;
  return c.json({ env_roots: own, stores: [] });
}
