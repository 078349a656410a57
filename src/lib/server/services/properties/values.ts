import { isUuid } from "../../../core/index.ts";
import { update } from "../../db/query.ts";
import { badRequest } from "../../http-error.ts";
import { type IssueRow, type PropertyRow, objectColumn, propertyOptions } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { dateColumn, requireMember } from "../issue-input.ts";

type Value = string | number | boolean | string[];
const MAX_TEXT = 4096;

/** Sets or (with undefined) takes away one value of an issue; returns all of them by property id (server-api.md 13.4). */
export function changeValue(tx: Tx, issue: IssueRow, property: PropertyRow, value: unknown): Record<string, unknown> {
  const values = objectColumn(issue.properties);
  if (value === undefined) delete values[property.id];
  else {
    if (property.archived_at !== null) throw badRequest("the property is archived");
    values[property.id] = checkedValue(tx, property, value);
  }
  update(tx.db, "issue", issue.id, { properties: JSON.stringify(values) });
  return values;
}

/** The value as it is stored: options by id, people as `member:<uuid>`. */
function checkedValue(tx: Tx, property: PropertyRow, value: unknown): Value {
  switch (property.type) {
    case "number":
      if (typeof value !== "number" || !Number.isFinite(value)) throw badRequest("value must be a number");
      return value;
    case "checkbox":
      if (typeof value !== "boolean") throw badRequest("value must be true or false");
      return value;
    case "date":
      return dateColumn("value", text(value)) ?? "";
    case "url":
      return address(text(value));
    case "select":
      return option(property, text(value));
    case "multi_select":
      return listOf(value, (one) => option(property, one));
    case "actor":
      return person(tx, property.workspace_id, text(value));
    case "multi_actor":
      return listOf(value, (one) => person(tx, property.workspace_id, one));
    case "text":
      return text(value);
  }
}

function text(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") throw badRequest("value must be a text that is not empty");
  if ([...value].length > MAX_TEXT) throw badRequest(`value exceeds ${MAX_TEXT} characters`);
  return value;
}

function listOf(value: unknown, each: (one: string) => string): string[] {
  if (!Array.isArray(value) || value.length === 0) throw badRequest("value must be a list that is not empty");
  return [...new Set((value as unknown[]).map((one) => each(text(one))))];
}

/** Only what a browser opens as a page: the value becomes a link that people click. */
function address(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") throw badRequest("value must be an http or https URL");
  return value;
}

function option(property: PropertyRow, id: string): string {
  if (!propertyOptions(property).some((one) => one.id === id)) throw badRequest("value is not an option of this property");
  return id;
}

function person(tx: Tx, workspaceId: string, value: string): string {
  const [kind, id = "", ...more] = value.toLowerCase().split(":");
  if (kind !== "member" || more.length > 0 || !isUuid(id)) throw badRequest("value must be member:<id>");
  requireMember(tx, workspaceId, id, "value");
  return `member:${id}`;
}
