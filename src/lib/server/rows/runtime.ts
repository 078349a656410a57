import { isoOrNull, isoSeconds } from "./time.ts";
import { objectColumn, stringsColumn } from "./json-column.ts";

export interface RuntimeProfileRow {
  id: string;
  workspace_id: string;
  display_name: string;
  protocol_family: string;
  command_name: string;
  description: string | null;
  fixed_args: string;
  visibility: string;
  enabled: number;
  created_by: string | null;
  created_at: number;
  updated_at: number;
}

export interface RuntimeRow {
  id: string;
  workspace_id: string;
  daemon_id: string | null;
  provider: string;
  profile_id: string | null;
  name: string;
  custom_name: string | null;
  runtime_mode: "local" | "cloud";
  status: "online" | "offline";
  device_info: string;
  metadata: string;
  owner_id: string | null;
  visibility: "private" | "public";
  last_seen_at: number | null;
  created_at: number;
  updated_at: number;
}

/** RuntimeProfile as in server-api.md 4.6. */
export function profileWire(row: RuntimeProfileRow) {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    display_name: row.display_name,
    protocol_family: row.protocol_family,
    command_name: row.command_name,
    description: row.description,
    fixed_args: stringsColumn(row.fixed_args),
    visibility: row.visibility,
    created_by: row.created_by,
    enabled: row.enabled === 1,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}

/** AgentRuntime as in server-api.md 4.1. */
export function runtimeWire(row: RuntimeRow) {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    daemon_id: row.daemon_id,
    name: row.name,
    custom_name: row.custom_name,
    runtime_mode: row.runtime_mode,
    provider: row.provider,
    launch_header: row.provider,
    status: row.status,
    device_info: row.device_info,
    metadata: objectColumn(row.metadata),
    owner_id: row.owner_id,
    visibility: row.visibility,
    profile_id: row.profile_id,
    last_seen_at: isoOrNull(row.last_seen_at),
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}
