import * as http from "node:http";
import type { Env } from "./env.ts";

/** What `fetch` takes besides the standard's options: the pool of connections to use. */
interface Dispatcher {
  close(): Promise<void>;
}

const GLOBAL = Symbol.for("undici.globalDispatcher.1");

export interface ConnectionPool {
  /** `fetch` over connections of its own. */
  readonly fetch: typeof globalThis.fetch;
  /** Leaves all present connections: running requests end on them, new ones connect anew. */
  renew(): void;
}

/**
 * Connections that can be given up: after sleep or a change of networks a kept one may be dead without anybody having told,
 * and every request on it would run into its limit.
 */
export function createConnectionPool(): ConnectionPool {
  let pool = newDispatcher();
  return {
    fetch: (input, init) => {
      if (pool === undefined) return globalThis.fetch(input, init);
      // Known to Node, not to the standard's types.
      return globalThis.fetch(input, { ...init, dispatcher: pool } as RequestInit);
    },
    renew: () => {
      const old = pool;
      pool = newDispatcher();
      old?.close().catch(() => undefined);
    },
  };
}

/** One of the kind Node uses itself, proxies included; undefined when this Node does not show it. */
function newDispatcher(): Dispatcher | undefined {
  // Node loads it with the first use of anything of fetch.
  void new Request("http://127.0.0.1/");
  const known = (globalThis as { [GLOBAL]?: Dispatcher })[GLOBAL];
  const Kind = known?.constructor as (new () => Dispatcher) | undefined;
  return Kind === undefined ? undefined : new Kind();
}

/** Sends this process's HTTP through the proxies that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY); false when it names none. */
export function useEnvironmentProxies(env: Readonly<Env>): boolean {
  const named = Object.entries(env).some(([name, value]) => /^https?_proxy$/i.test(name) && (value ?? "") !== "");
  // Not there in older releases of Node: they connect directly.
  if (!named || typeof http.setGlobalProxyFromEnv !== "function") return false;
  http.setGlobalProxyFromEnv({ ...env });
  return true;
}
