import { update } from "../db/query.ts";
import { badRequest } from "../http-error.ts";
import { type IssueRow, objectColumn } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

const KEY = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/;
const MAX_KEYS = 50;
const MAX_BYTES = 8 * 1024;

/** Sets or (with undefined) removes one metadata key within its limits; returns the whole object (server-api.md 13.4). */
export function changeMetadata(tx: Tx, issue: IssueRow, key: string, value: unknown): Record<string, unknown> {
  if (!KEY.test(key)) throw badRequest("invalid metadata key");
  const metadata = objectColumn(issue.metadata);
  if (value === undefined) delete metadata[key];
  else metadata[key] = primitive(value);
  const text = JSON.stringify(metadata);
  if (Object.keys(metadata).length > MAX_KEYS) throw badRequest(`an issue can have at most ${MAX_KEYS} metadata keys`);
  if (Buffer.byteLength(text) > MAX_BYTES) throw badRequest(`the metadata of an issue can have at most ${MAX_BYTES} bytes`);
  update(tx.db, "issue", issue.id, { metadata: text });
  return metadata;
}

function primitive(value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw badRequest("value must be a string, number or boolean");
}
