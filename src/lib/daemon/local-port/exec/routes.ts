import type { Hono } from "hono";
import { type LocalEnv, plain } from "../access.ts";
import { askedAgain } from "./answers.ts";
import { type ExecCaller, type ExecPort, withCaller } from "./access.ts";
import { keepRoute, killRoute, readRoute, recordRoute, resizeRoute, signalRoute, writeRoute } from "./process.ts";
import { startRoute } from "./start.ts";
import { cleanRoute, detachRoute, gcRoute, listRoute, reattachRoute } from "./threads.ts";

type Route = (caller: ExecCaller) => Promise<Response>;

const PROCESS = "/exec/:thread/:process";

const TABLE: readonly (readonly [path: string, methods: Readonly<Record<string, Route>>])[] = [
  ["/exec", { GET: listRoute, POST: startRoute }],
  ["/exec/detach", { POST: detachRoute }],
  ["/exec/reattach", { POST: reattachRoute }],
  ["/exec/clean", { POST: cleanRoute }],
  ["/exec/gc", { POST: gcRoute }],
  [PROCESS, { GET: recordRoute }],
  [`${PROCESS}/read`, { POST: readRoute }],
  [`${PROCESS}/write`, { POST: writeRoute }],
  [`${PROCESS}/resize`, { POST: resizeRoute }],
  [`${PROCESS}/signal`, { POST: signalRoute }],
  [`${PROCESS}/kill`, { POST: killRoute }],
  [`${PROCESS}/keep`, { POST: keepRoute }],
];

/** The endpoints of exec-sessions.md 18.2 behind their access rules. `parts` is asked at each request: they open late. */
export function execRoutes(app: Hono<LocalEnv>, parts: () => ExecPort): void {
  for (const [path, methods] of TABLE) {
    app.all(path, (c) => {
      askedAgain(c);
      const route = methods[c.req.method];
      if (route === undefined) return plain("method not allowed", 405, { Allow: Object.keys(methods).join(", ") });
      return withCaller(c, parts(), route);
    });
  }
}
