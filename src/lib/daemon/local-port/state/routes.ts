import type { Hono } from "hono";
import { stateStatus } from "../../../state/index.ts";
import { type LocalContext, type LocalEnv, plain } from "../access.ts";
import { type StatePort, forOperator } from "./answers.ts";
import { sessionRoute, sessionsRoute } from "./sessions.ts";
import { backfillRoute, checkRoute } from "./work.ts";

/** The endpoints of state-db.md 19 for the person who runs the daemon. `parts` is asked at each request. */
export function stateRoutes(app: Hono<LocalEnv>, parts: () => StatePort): void {
  const table: readonly (readonly [path: string, method: "GET" | "POST", route: (c: LocalContext, port: StatePort) => Promise<Response>])[] = [
    ["/state", "GET", statusRoute],
    ["/state/sessions", "GET", sessionsRoute],
    ["/state/sessions/:thread", "GET", sessionRoute],
    ["/state/backfill", "POST", (c) => backfillRoute(c, parts)],
    ["/state/check", "POST", (c) => checkRoute(c, parts)],
    ["/state/jobs/:id", "GET", (c, port) => Promise.resolve(c.json(port.jobs.get(c.req.param("id") ?? "")))],
  ];
  for (const [path, method, route] of table) {
    app.all(path, (c) => (c.req.method === method ? forOperator(c, parts(), route) : plain("method not allowed", 405, { Allow: method })));
  }
}

async function statusRoute(c: LocalContext, port: StatePort): Promise<Response> {
  const params = new URL(c.req.url).searchParams;
  const index = port.index === null ? null : await port.index.status().catch(() => null);
  const { state, paused, clock } = port;
  return c.json(stateStatus(state, { index, paused, dead: params.get("dead") === "true", lane: params.get("lane") ?? undefined, nowMs: clock.now() }));
}
