import { uuid } from "../../../core/index.ts";
import { isUniqueViolation } from "../../../platform/index.ts";
import { PROPERTY_TYPES, type PropertyInput, type PropertyOption } from "../../../wire/index.ts";
import { all, insert, one, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import { type PropertyRow, propertyWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { oneOf } from "../issue-input.ts";

type CountedProperty = PropertyRow & { usage_count: number };
type Columns = Record<string, string | number | null>;

const MAX_NAME = 64;
const MAX_DESCRIPTION = 1024;
const MAX_ICON = 64;
const MAX_OPTIONS = 100;
const DEFAULT_COLOR = "#6b7280";

const SELECT = `SELECT p.*, (SELECT count(*) FROM issue i, json_each(i.properties) v
    WHERE i.workspace_id = p.workspace_id AND i.properties <> '{}' AND v.key = p.id) AS usage_count
  FROM property p`;

/** The workspace's properties in their order (server-api.md 13.4). */
export function listProperties(db: Tx["db"], workspaceId: string, archived: boolean): object[] {
  const sql = `${SELECT} WHERE p.workspace_id = :workspaceId AND (:archived = 1 OR p.archived_at IS NULL) ORDER BY p.position, p.created_at, p.rowid`;
  return all<CountedProperty>(db, sql, { workspaceId, archived: archived ? 1 : 0 }).map(propertyWire);
}

/** The property within its workspace; 404 `property not found`. */
export function loadProperty(db: Tx["db"], workspaceId: string, id: string): CountedProperty {
  const row = one<CountedProperty>(db, `${SELECT} WHERE p.id = :id AND p.workspace_id = :workspaceId`, { id, workspaceId });
  if (row === undefined) throw notFound("property");
  return row;
}

/** Creates a property and returns its id. Throws 400, and 409 when the name is taken, in whatever case. */
export function createProperty(tx: Tx, workspaceId: string, input: PropertyInput): string {
  const id = tx.newId();
  const type = oneOf("type", input.type ?? "", PROPERTY_TYPES);
  const columns = checked(type, { ...input, name: input.name ?? "" });
  const sql = "SELECT coalesce(max(position), 0) + 1 AS position FROM property WHERE workspace_id = :workspaceId";
  const position = one<{ position: number }>(tx.db, sql, { workspaceId })?.position ?? 1;
  uniqueName(() => insert(tx.db, "property", { id, workspace_id: workspaceId, type, position, ...columns, created_at: tx.now, updated_at: tx.now }));
  return id;
}

/** Partial update. Present options replace all; values that named one of the others stay as they are. */
export function updateProperty(tx: Tx, row: PropertyRow, input: PropertyInput): void {
  if (input.type !== undefined && input.type !== row.type) throw badRequest("the type of a property cannot be changed");
  const columns = checked(row.type, input);
  if (input.archived !== undefined) columns["archived_at"] = input.archived ? (row.archived_at ?? tx.now) : null;
  uniqueName(() => update(tx.db, "property", row.id, { ...columns, updated_at: tx.now }));
}

/** True for the types that have choices. */
function hasOptions(type: string): boolean {
  return type === "select" || type === "multi_select";
}

function checked(type: string, input: PropertyInput): Columns {
  const columns: Columns = {};
  if (input.name !== undefined) columns["name"] = line("name", input.name, MAX_NAME);
  if (input.description !== undefined) {
    columns["description"] = input.description ?? "";
    if ([...(input.description ?? "")].length > MAX_DESCRIPTION) throw badRequest(`description exceeds ${MAX_DESCRIPTION} characters`);
  }
  if (input.icon !== undefined) {
    columns["icon"] = input.icon || null;
    if ([...(input.icon ?? "")].length > MAX_ICON) throw badRequest(`icon exceeds ${MAX_ICON} characters`);
  }
  const options = input.config?.options;
  if (options !== undefined) columns["config"] = JSON.stringify({ options: checkedOptions(type, options) });
  return columns;
}

function checkedOptions(type: string, options: NonNullable<NonNullable<PropertyInput["config"]>["options"]>): PropertyOption[] {
  if (!hasOptions(type) && options.length > 0) throw badRequest(`a property of type ${type} has no options`);
  if (options.length > MAX_OPTIONS) throw badRequest(`a property can have at most ${MAX_OPTIONS} options`);
  const result = options.map((option) => {
    const color = option.color ?? DEFAULT_COLOR;
    if (!/^#[0-9a-f]{6}$/i.test(color)) throw badRequest("color must be a 6-digit hex value");
    return { id: option.id === undefined ? uuid() : line("option id", option.id, MAX_NAME), name: line("option name", option.name, MAX_NAME), color: color.toLowerCase() };
  });
  for (const key of ["id", "name"] as const) {
    if (new Set(result.map((option) => option[key].toLowerCase())).size !== result.length) throw badRequest(`duplicate option ${key}`);
  }
  return result;
}

function line(field: string, text: string, most: number): string {
  const value = text.trim();
  if (value === "") throw badRequest(`${field} is required`);
  if ([...value].length > most || /[\r\n]/.test(value)) throw badRequest(`${field} must be one line of at most ${most} characters`);
  return value;
}

function uniqueName(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "a property with this name already exists", { cause: error });
    throw error;
  }
}
