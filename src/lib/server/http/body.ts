import type { z } from "zod";
import { HttpError, badRequest } from "../http-error.ts";
import { isUuid } from "../../core/index.ts";
import type { AppContext } from "./env.ts";

/**
 * The request body as the schema's type. An empty body counts as `{}`; NUL characters are dropped from every text
 * (server-api.md 1.1). Throws 400 `invalid request body` for anything that is not JSON of that shape.
 */
export async function readBody<S extends z.ZodType>(c: AppContext, schema: S): Promise<z.infer<S>> {
  const text = await c.req.text();
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text, dropNul);
  } catch (error) {
    throw new HttpError(400, "invalid request body", { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new HttpError(400, "invalid request body", { cause: parsed.error });
  return parsed.data;
}

function dropNul(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "") : value;
}

/** A path or body id in lower case; 400 `invalid <field>` when it is not a UUID (server-api.md 1.1). */
export function uuidOf(value: string | undefined, field: string): string {
  if (value === undefined || !isUuid(value)) throw badRequest(`invalid ${field}`);
  return value.toLowerCase();
}

/** A whole number from the query within [0, max]; `fallback` when absent; 400 `invalid <name>` otherwise. */
export function intQuery(c: AppContext, name: string, fallback: number, max: number): number {
  const text = c.req.query(name);
  if (text === undefined || text === "") return fallback;
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`invalid ${name}`);
  return Math.min(Number(text), max);
}
