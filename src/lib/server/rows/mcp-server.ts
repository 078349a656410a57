import type { McpServerInfo } from "../../wire/index.ts";
import { objectColumn } from "./json-column.ts";

export interface McpServerRow {
  id: string;
  workspace_id: string;
  name: string;
  /** JSON object; may hold credentials and leaves the server only with a claim. */
  config: string;
  created_by: string | null;
  created_at: number;
  updated_at: number;
}

/** A server of the workspace, or of an agent that may have switched it off (server-api.md 13.2). */
export function mcpServerWire(row: McpServerRow & { readonly enabled?: number }): McpServerInfo {
  return { id: row.id, name: row.name, transport: transportOf(objectColumn(row.config)), enabled: row.enabled !== 0 };
}

/** How it is spoken to: what it says itself, or what its command or address makes likely. */
function transportOf(config: Readonly<Record<string, unknown>>): string {
  const { type } = config;
  if (type === "stdio" || type === "http" || type === "sse") return type;
  return typeof config["command"] === "string" && config["command"].trim() !== "" ? "stdio" : "http";
}
