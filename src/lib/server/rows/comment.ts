import { isoOrNull, isoSeconds } from "./time.ts";

export interface CommentRow {
  id: string;
  issue_id: string;
  workspace_id: string;
  author_type: "member" | "agent" | "system";
  author_id: string;
  content: string;
  type: string;
  parent_id: string | null;
  source_task_id: string | null;
  resolved_at: number | null;
  resolved_by_type: string | null;
  resolved_by_id: string | null;
  revision: number;
  created_at: number;
  updated_at: number;
}

/** Comment as in server-api.md 13.5. */
export function commentWire(row: CommentRow, files: readonly object[] = []) {
  return {
    id: row.id,
    issue_id: row.issue_id,
    author_type: row.author_type,
    author_id: row.author_id,
    content: row.content,
    type: row.type,
    parent_id: row.parent_id,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    revision: row.revision,
    resolved_at: isoOrNull(row.resolved_at),
    resolved_by_type: row.resolved_by_type,
    resolved_by_id: row.resolved_by_id,
    ...(row.source_task_id === null ? {} : { source_task_id: row.source_task_id }),
    reactions: [],
    attachments: files,
  };
}
