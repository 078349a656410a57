import { isoOrNull, isoSeconds } from "./time.ts";
import { objectColumn, objectsColumn } from "./json-column.ts";

export interface UserRow {
  id: string;
  name: string;
  email: string;
  avatar_url: string | null;
  language: string | null;
  timezone: string | null;
  profile_description: string;
  disabled: number;
  created_at: number;
  updated_at: number;
}

export interface TokenRow {
  id: string;
  kind: "personal" | "task" | "daemon";
  hash: string;
  prefix: string;
  user_id: string;
  name: string;
  agent_id: string | null;
  task_id: string | null;
  workspace_id: string | null;
  daemon_id: string | null;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  created_at: number;
}

export interface WorkspaceRow {
  id: string;
  name: string;
  slug: string;
  description: string | null;
  context: string | null;
  avatar_url: string | null;
  settings: string;
  repos: string;
  issue_prefix: string;
  next_issue_number: number;
  created_at: number;
  updated_at: number;
}

export type Role = "owner" | "admin" | "member";

export interface MemberRow {
  id: string;
  workspace_id: string;
  user_id: string;
  role: Role;
  created_at: number;
}

/** User as in server-api.md 13.1.4. */
export function userWire(row: UserRow) {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    avatar_url: row.avatar_url,
    language: row.language,
    timezone: row.timezone,
    onboarded_at: isoSeconds(row.created_at),
    onboarding_questionnaire: {},
    starter_content_state: null,
    profile_description: row.profile_description,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}

/** Token without its text (server-api.md 13.1.3). */
export function tokenWire(row: TokenRow) {
  return {
    id: row.id,
    name: row.name,
    token_prefix: row.prefix,
    expires_at: isoOrNull(row.expires_at),
    last_used_at: isoOrNull(row.last_used_at),
    created_at: isoSeconds(row.created_at),
  };
}

/** Workspace as in server-api.md 13.2. */
export function workspaceWire(row: WorkspaceRow) {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    description: row.description,
    context: row.context,
    settings: objectColumn(row.settings),
    repos: reposOf(row),
    issue_prefix: row.issue_prefix,
    avatar_url: row.avatar_url,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}

export type RepoEntry = {
  url: string;
  description?: string;
  ref?: string;
};

/** The workspace's repositories as stored: trimmed, without duplicates. */
export function reposOf(row: WorkspaceRow): RepoEntry[] {
  return objectsColumn(row.repos).flatMap((entry) => {
    if (typeof entry["url"] !== "string" || entry["url"] === "") return [];
    const repo: RepoEntry = { url: entry["url"] };
    if (typeof entry["description"] === "string") repo.description = entry["description"];
    if (typeof entry["ref"] === "string") repo.ref = entry["ref"];
    return [repo];
  });
}

/** Member joined with the user (server-api.md 13.2). */
export function memberWire(row: MemberRow & { name: string; email: string; avatar_url: string | null }) {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    user_id: row.user_id,
    role: row.role,
    created_at: isoSeconds(row.created_at),
    name: row.name,
    email: row.email,
    avatar_url: row.avatar_url,
  };
}
