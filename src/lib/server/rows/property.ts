import type { Property, PropertyOption, PropertyType } from "../../wire/index.ts";
import { objectColumn } from "./json-column.ts";
import { isoOrNull, isoSeconds } from "./time.ts";

export interface PropertyRow {
  id: string;
  workspace_id: string;
  name: string;
  type: PropertyType;
  description: string;
  icon: string | null;
  config: string;
  position: number;
  archived_at: number | null;
  created_at: number;
  updated_at: number;
}

/** The choices of a select property; empty for every other type. */
export function propertyOptions(row: PropertyRow): readonly PropertyOption[] {
  const options = objectColumn(row.config)["options"];
  // Only this server writes the column, and only after checking it.
  return Array.isArray(options) ? (options as PropertyOption[]) : [];
}

/** Property as in server-api.md 13.4. */
export function propertyWire(row: PropertyRow & { usage_count: number }): Property & Readonly<Record<string, unknown>> {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    name: row.name,
    type: row.type,
    description: row.description,
    icon: row.icon,
    config: { options: propertyOptions(row) },
    position: row.position,
    archived: row.archived_at !== null,
    archived_at: isoOrNull(row.archived_at),
    usage_count: row.usage_count,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}
