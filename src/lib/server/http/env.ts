import type { Context, Hono } from "hono";
import type { Principal } from "../auth/authenticate.ts";

/** What middleware leaves for handlers; `principal` is set on every authenticated route. */
export interface AppEnv {
  Variables: { principal: Principal };
}
export type App = Hono<AppEnv>;
export type AppContext = Context<AppEnv>;
