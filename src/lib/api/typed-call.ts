import { isObject } from "../core/index.ts";
import type { Http, Method, RequestOptions } from "./http.ts";

export type Call = <T>(method: Method, path: string, options?: RequestOptions) => Promise<T>;

/** Requests that hand the answer's body on as it came, typed by the wire schemas but not parsed by them. */
export function typedCall(http: Http): Call {
  return async <T>(method: Method, path: string, options: RequestOptions = {}) => (await http.request(method, path, options)).body as T;
}

/** The list in a body: itself, or under `key`; a missing one is empty (cli.md 4.6). */
export function listIn<T>(body: unknown, key: string): T[] {
  const list = isObject(body) ? body[key] : body;
  return Array.isArray(list) ? (list as T[]) : [];
}
