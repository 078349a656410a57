import { timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { sha256Hex } from "../../core/index.ts";
import type { Credentials, TaskCredential } from "../credentials.ts";

/** Who asks: nobody known, a running task, or the person who runs the daemon. */
export type Caller = { readonly kind: "none" } | { readonly kind: "task"; readonly credential: TaskCredential } | { readonly kind: "operator" };

export interface LocalEnv {
  Variables: { caller: Caller };
}
export type LocalContext = Context<LocalEnv>;

export interface AccessParts {
  readonly credentials: Credentials;
  /** The port in use; read at each request, because it is known only after binding. */
  port(): number;
  operatorToken(): string;
}

/** One line of plain text, as every error of this port (daemon.md 13.1). */
export function plain(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers } });
}

/**
 * Refuses what a browser could send (an `Origin` header, a foreign `Host`: DNS rebinding) on every route,
 * and finds out who asks. Which caller may do what is each route's business.
 */
export function accessRules(parts: AccessParts): MiddlewareHandler<LocalEnv> {
  return async (c, next) => {
    const header = (name: string): string | undefined => c.req.header(name);
    const entered = enter({ origin: header("origin"), host: header("host"), authorization: header("authorization") }, parts);
    if (typeof entered === "string") return plain(entered, 403);
    c.set("caller", entered);
    await next();
    return undefined;
  };
}

/** The headers that decide who may enter. */
export interface DoorHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly authorization?: string | undefined;
}

/** The rules themselves, for requests and for upgrades: who asks, or why nobody may ask like that (403). */
export function enter(headers: DoorHeaders, parts: AccessParts): Caller | string {
  if (headers.origin !== undefined) return "requests with an Origin are refused";
  if (!isOwnHost(headers.host, parts.port())) return "unexpected Host";
  return callerOf(headers.authorization, parts);
}

/** `127.0.0.1`, `localhost` or `[::1]`, with our port or none. */
function isOwnHost(host: string | undefined, port: number): boolean {
  const match = /^(127\.0\.0\.1|localhost|\[::1\])(?::(\d+))?$/i.exec(host ?? "");
  return match !== null && (match[2] === undefined || Number(match[2]) === port);
}

function callerOf(authorization: string | undefined, parts: AccessParts): Caller {
  const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return { kind: "none" };
  if (sameText(token, parts.operatorToken())) return { kind: "operator" };
  const credential = parts.credentials.find(token);
  return credential === null ? { kind: "none" } : { kind: "task", credential };
}

/** Equality whose time says nothing about where two texts differ. */
function sameText(a: string, b: string): boolean {
  return b !== "" && timingSafeEqual(Buffer.from(sha256Hex(a)), Buffer.from(sha256Hex(b)));
}
