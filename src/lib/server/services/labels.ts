import { isUniqueViolation } from "../../platform/index.ts";
import { all, insert, one, update } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import { type LabelRow, labelWire } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

interface LabelInput {
  readonly name?: string | undefined;
  readonly color?: string | undefined;
  readonly description?: string | null | undefined;
}

const SELECT = "SELECT l.*, (SELECT count(*) FROM issue_label u WHERE u.label_id = l.id) AS usage_count FROM label l";

/** Labels of the workspace by name (server-api.md 13.4). */
export function listLabels(db: Tx["db"], workspaceId: string, resourceType: string): object[] {
  const sql = `${SELECT} WHERE l.workspace_id = :workspaceId AND l.resource_type = :resourceType ORDER BY l.name`;
  return all<LabelRow & { usage_count: number }>(db, sql, { workspaceId, resourceType }).map(labelWire);
}

/** The label within its workspace; 404 `label not found`. */
export function showLabel(db: Tx["db"], workspaceId: string, id: string): object {
  const sql = `${SELECT} WHERE l.id = :id AND l.workspace_id = :workspaceId`;
  const row = one<LabelRow & { usage_count: number }>(db, sql, { id, workspaceId });
  if (row === undefined) throw notFound("label");
  return labelWire(row);
}

export function createLabel(tx: Tx, workspaceId: string, input: LabelInput): string {
  const id = tx.newId();
  const columns = checked({ ...input, name: input.name ?? "", color: input.color ?? "" });
  uniqueName(() => insert(tx.db, "label", { id, workspace_id: workspaceId, ...columns, created_at: tx.now, updated_at: tx.now }));
  return id;
}

export function updateLabel(tx: Tx, id: string, input: LabelInput): void {
  uniqueName(() => update(tx.db, "label", id, { ...checked(input), updated_at: tx.now }));
}

function checked(input: LabelInput): Record<string, string> {
  const columns: Record<string, string> = {};
  if (input.name !== undefined) {
    columns["name"] = input.name.trim();
    if (columns["name"] === "") throw badRequest("name is required");
    if ([...columns["name"]].length > 32) throw badRequest("name exceeds 32 characters");
  }
  if (input.color !== undefined) {
    if (!/^#?[0-9a-f]{6}$/i.test(input.color)) throw badRequest("color must be a 6-digit hex value");
    columns["color"] = input.color.toLowerCase();
  }
  if (input.description !== undefined) columns["description"] = input.description ?? "";
  return columns;
}

function uniqueName(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "a label with this name already exists", { cause: error });
    throw error;
  }
}
