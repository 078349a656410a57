import { isoSeconds } from "./time.ts";
import { objectColumn } from "./json-column.ts";

export type RequestKind = "update" | "models" | "local_skills" | "skill_import";

export interface RuntimeRequestRow {
  id: string;
  kind: RequestKind;
  runtime_id: string;
  status: "pending" | "running" | "completed" | "failed" | "timeout" | "conflict";
  input: string;
  result: string;
  error: string | null;
  created_by: string;
  created_at: number;
  updated_at: number;
}

/** A request as its user polls it (server-api.md 13.10): what was asked, where it stands, what came of it. */
export function requestWire(row: RuntimeRequestRow) {
  const { supports_conflict: _internal, ...input } = objectColumn(row.input);
  return {
    id: row.id,
    runtime_id: row.runtime_id,
    status: row.status,
    ...input,
    ...(row.kind === "models" || row.kind === "local_skills" ? { supported: true } : {}),
    ...objectColumn(row.result),
    ...(row.error === null ? {} : { error: row.error }),
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}
