import type { Squad, SquadMember } from "../../wire/index.ts";
import { isoOrNull, isoSeconds } from "./time.ts";

export interface SquadRow {
  id: string;
  workspace_id: string;
  name: string;
  description: string;
  instructions: string;
  avatar_url: string | null;
  leader_id: string;
  creator_id: string | null;
  archived_at: number | null;
  archived_by: string | null;
  created_at: number;
  updated_at: number;
}

export interface SquadMemberRow {
  id: string;
  squad_id: string;
  member_type: "agent" | "member";
  member_id: string;
  role: string;
  created_at: number;
}

const PREVIEW = 5;

/** Squad as in server-api.md 13.12. */
export function squadWire(row: SquadRow, members: readonly SquadMemberRow[]): Squad {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    name: row.name,
    description: row.description,
    instructions: row.instructions,
    avatar_url: row.avatar_url,
    leader_id: row.leader_id,
    creator_id: row.creator_id,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    archived_at: isoOrNull(row.archived_at),
    archived_by: row.archived_by,
    member_count: members.length,
    member_preview: members.slice(0, PREVIEW).map(({ member_type, member_id, role }) => ({ member_type, member_id, role })),
  };
}

export function squadMemberWire(row: SquadMemberRow): SquadMember {
  return {
    id: row.id,
    squad_id: row.squad_id,
    member_type: row.member_type,
    member_id: row.member_id,
    role: row.role,
    created_at: isoSeconds(row.created_at),
  };
}
