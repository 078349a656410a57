import type { ServerContext } from "../../context.ts";
import type { App } from "../../http/env.ts";
import { callbackRoutes } from "./callbacks.ts";
import { claimRoutes } from "./claim.ts";
import { gcRoutes } from "./gc.ts";
import { presenceRoutes } from "./presence.ts";
import { recordRoutes } from "./records.ts";
import { requestRoutes } from "./requests.ts";

/** Every route below /api/daemon; the caller has put daemon authentication before them (server-api.md 4.0). */
export function daemonRoutes(app: App, ctx: ServerContext): void {
  presenceRoutes(app, ctx);
  claimRoutes(app, ctx);
  callbackRoutes(app, ctx);
  recordRoutes(app, ctx);
  requestRoutes(app, ctx);
  gcRoutes(app, ctx);
}
